"""What theory predicts for an activation and a depth: every law with its regime, its derivation and what refutes it."""

from __future__ import annotations

import functools

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.claim import Claim
from theory.claims import claims
from theory.model import Model
from theory.prediction import Prediction


def predictions(activation: Activation, depth: int, model: Model | None = None) -> tuple[Prediction, ...]:
    """Derive the laws for fully connected networks: those of all files in `theory.laws`.

    Parameters
    ----------
    activation : Activation
        Its degree at infinity and its kinks decide the exponents.
    depth : int
        Hidden layers L >= 1.
    model : Model, optional
        The scaling form to start from; default: the article's. With another one (a last layer ~ 1/h, say) the
        exponents change as that model's do.

    Raises
    ------
    InputError
        If the depth is not a positive number.
    """
    if model is None:
        model = Model(depth, activation.degree, not activation.smooth, saturation=activation.saturation)
    elif model.depth != depth:
        raise InputError("depth", depth, f"the model given has depth {model.depth}", "Give the same depth twice")
    return _derived(model, claims())


@functools.lru_cache(maxsize=256)
def _derived(model: Model, laws: tuple[Claim, ...]) -> tuple[Prediction, ...]:
    return tuple(law for claim in laws for law in claim.laws(model))
