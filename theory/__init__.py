"""What should happen: activations, scaling laws, kernels at infinite width."""

from theory.activation import Activation
from theory.errors import InputError

__all__ = ["Activation", "InputError"]
