"""Integrators behind one protocol: steppers and controllers, one file each; `build` makes what a campaign asks for."""

from simulate.integrators.build import build, momentum_time, needs_weights
from simulate.integrators.chebyshev import Chebyshev
from simulate.integrators.error_control import ErrorControl
from simulate.integrators.euler import Euler, PublishedRule
from simulate.integrators.kernel_flow import KernelFlow
from simulate.integrators.protocol import Batch, Controller, DenseOutput, SolverState, Stepper, StepProposal
from simulate.integrators.rosenbrock import Rosenbrock

__all__ = [
    "Batch",
    "Chebyshev",
    "Controller",
    "DenseOutput",
    "ErrorControl",
    "Euler",
    "KernelFlow",
    "PublishedRule",
    "Rosenbrock",
    "SolverState",
    "StepProposal",
    "Stepper",
    "build",
    "momentum_time",
    "needs_weights",
]
