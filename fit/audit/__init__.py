"""Which regime a network of anybody's is in: verdicts on measurements of `simulate.audit`."""

from fit.audit.audit import Audit, audit

__all__ = ["Audit", "audit"]
