"""Which regime a network of anybody's is in: verdicts on measurements of `simulate.audit`."""

from fit.audit.audit import audit
from fit.audit.audit_result import Audit, ModuleVerdict
from fit.audit.coordinate_check import coordinate_check
from fit.audit.coordinate_result import CoordinateCheck, ModuleScaling
from fit.audit.own_crossover import OwnCrossover, own_crossover
from fit.audit.rate_transfer import RateTransfer, rate_transfer

__all__ = [
    "Audit",
    "CoordinateCheck",
    "ModuleScaling",
    "ModuleVerdict",
    "OwnCrossover",
    "RateTransfer",
    "audit",
    "coordinate_check",
    "own_crossover",
    "rate_transfer",
]
