"""What theory predicts for an activation and a depth: every law with its regime, its derivation and what refutes it."""

from __future__ import annotations

import dataclasses
import functools
import math

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.claim import Claim
from theory.claims import claims
from theory.model import Model
from theory.prediction import Prediction, Predictions
from theory.regimes import FEATURE_EDGE, growth_regime

#: The A << 1 that networks can be trained at in minutes.
ACCESSIBLE = (1e-6, FEATURE_EDGE)


def predictions(activation: Activation | str, depth: int, model: Model | None = None) -> Predictions:
    """Derive the laws for fully connected networks: those of all files in `theory.laws`.

    Parameters
    ----------
    activation : Activation or str
        Its degree at infinity and its kinks decide the exponents; a name or a formula is made into an Activation.
    depth : int
        Hidden layers L >= 1.
    model : Model, optional
        The scaling form to start from; default: the article's. With another one (a last layer ~ 1/h, say) the
        exponents change as that model's do.

    Returns
    -------
    Predictions
        A tuple of `Prediction`, which shows itself as a table.

    Raises
    ------
    InputError
        If the depth is not a positive number, or the formula can't be read.
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    if not isinstance(activation, Activation):
        raise InputError("activation", activation, "isn't an activation", "Give a name, a formula or an Activation")
    if model is None:
        model = model_of(activation, depth)
    elif model.depth != depth:
        raise InputError("depth", depth, f"the model given has depth {model.depth}", "Give the same depth twice")
    return Predictions(_derived(model, claims()))


def model_of(activation: Activation, depth: int) -> Model:
    """Return the article's model with an activation's degree, kinks, saturation and susceptibility.

    The degree is that at infinity; where weights carry preactivations there for no A that can be reached, it is the
    power that sigma has in the range that they do reach.
    """
    base = Model(
        depth,
        activation.degree,
        not activation.smooth,
        saturation=activation.saturation,
        switches=activation.switches,
        kink_strength=activation.kink_strength,
        susceptibility=activation.mean_susceptibility(depth),
    )
    models = [
        dataclasses.replace(
            base,
            degree=part.degree,
            saturation=base.saturation if math.isinf(part.high) else None,
            onset=max(1.0, part.low),
            reach=part.high,
        )
        for part in activation.power_ranges
    ]
    return max(reversed(models), key=_accessible_decades)


def _accessible_decades(model: Model) -> float:
    regime = growth_regime(model)
    low, high = max(regime.low, ACCESSIBLE[0]), min(regime.high, ACCESSIBLE[1])
    # the regime ends below any number where the degree is reached late and the network is deep
    return math.log10(high / low) if high > low else 0.0


@functools.lru_cache(maxsize=256)
def _derived(model: Model, laws: tuple[Claim, ...]) -> tuple[Prediction, ...]:
    return tuple(law for claim in laws for law in claim.laws(model))
