"""What should happen: activations, scaling laws, kernels at infinite width."""

from importlib.util import find_spec

if (_lazyrich := find_spec("lazyrich")) is not None and _lazyrich.submodule_search_locations is None:
    raise SystemExit(f"error: {_lazyrich.origin} hides the package lazyrich. Rename it.")

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
