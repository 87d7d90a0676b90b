"""What should happen: activations, scaling laws, kernels at infinite width."""

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.kernels import infinite_width_kernels
from theory.model import Model
from theory.prediction import Form, Prediction, Regime, Step
from theory.predictions import predictions

__all__ = [
    "Activation",
    "Form",
    "InputError",
    "Model",
    "Prediction",
    "Regime",
    "Step",
    "infinite_width_kernels",
    "predictions",
]
