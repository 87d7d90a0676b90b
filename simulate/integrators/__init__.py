"""Integrators behind one protocol: steppers and controllers, one file each, and the choice between them."""

from simulate.integrators.chebyshev import Chebyshev
from simulate.integrators.choice import build, integrator_of, momentum_time, needs_weights
from simulate.integrators.error_control import ErrorControl
from simulate.integrators.euler import Euler, PublishedRule
from simulate.integrators.kernel_flow import KernelFlow
from simulate.integrators.protocol import Batch, Controller, Memory, Segment, Stepper, Trial
from simulate.integrators.rosenbrock import Rosenbrock

__all__ = [
    "Batch",
    "Chebyshev",
    "Controller",
    "ErrorControl",
    "Euler",
    "KernelFlow",
    "Memory",
    "PublishedRule",
    "Rosenbrock",
    "Segment",
    "Stepper",
    "Trial",
    "build",
    "integrator_of",
    "momentum_time",
    "needs_weights",
]
