"""Which regime a network of anybody's is in: verdicts on measurements of `simulate.audit`."""

from fit.audit.audit import Audit, audit
from fit.audit.coordinate_check import CoordinateCheck, coordinate_check

__all__ = ["Audit", "CoordinateCheck", "audit", "coordinate_check"]
