"""What should happen: activations, scaling laws, kernels at infinite width."""

from theory.activation import Activation
from theory.errors import InputError
from theory.prediction import Prediction, Regime, Step
from theory.predictions import predictions

__all__ = ["Activation", "InputError", "Prediction", "Regime", "Step", "predictions"]
