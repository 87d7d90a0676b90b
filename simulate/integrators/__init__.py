"""Integrators behind one protocol: steppers and controllers, one file each."""

from simulate.integrators.error_control import ErrorControl
from simulate.integrators.protocol import Batch, Controller, Memory, Segment, Stepper, Trial
from simulate.integrators.rosenbrock import Rosenbrock

__all__ = ["Batch", "Controller", "ErrorControl", "Memory", "Rosenbrock", "Segment", "Stepper", "Trial"]
