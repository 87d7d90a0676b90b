"""Whether the moves of the weights of all widths fall on one curve in A."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import plain, power_plain, rational
from theory.prediction import Prediction, Regime, Step
from theory.regimes import growth_regime, lazy_regime
from theory.scaling import Feature, H, Lazy, neuron_growth, power
from theory.steps import ARTICLE, feature_steps, lazy_steps, no_mean_field


@claim(
    "Collapse of the weight change in A",
    order=102,
    margin=0.1,
    because="a fifth of the distance to weights that move as far at every width",
)
def weight_collapse(model: Model) -> tuple[Prediction, Prediction]:
    """Derive the power of h of ||w - w_0|| at fixed A, in both regimes: h^(1/2), each neuron moving as far."""
    feature, lazy = Feature(model, neuron_growth(model.degree)), Lazy(model)
    refusal = no_mean_field(model)
    if refusal is None and model.degree > 1:
        refusal = "for k > 1 single neurons carry f, with logarithms of h"
    return (
        _law(model, growth_regime(model), feature.weight_change, feature_steps(model), refusal),
        _law(model, lazy_regime(model, wide=True), lazy.weight_change, lazy_steps(model), None),
    )


def _law(model: Model, regime: Regime, change, steps: tuple[Step, ...], refusal: str | None) -> Prediction:
    in_h = power(change, H)
    return Prediction(
        claim="weight_collapse",
        quantity="weight_change",
        variable="width",
        exponent=None if refusal else in_h,
        expected=f"at fixed A the weights move as {power_plain('h', in_h)}: ‖w − w₀‖ ~ {plain(change)}",
        not_claimed_because=refusal,
        regime=regime,
        derivation=(
            *steps,
            Step(
                f"Weights then move by {plain(change)} in Frobenius norm, so that",
                rf"h^{{{rational(-in_h)}}}\,\|w - w_0\| = g(A).",
            ),
        ),
        reference=f"{ARTICLE}, figure: √h·‖w − w₀‖/‖w₀‖ against √h·α",
        falsified_by="another power of h in ‖w − w₀‖ at fixed A",
        formula=rf"\|w - w_0\| \sim h^{{{rational(in_h)}}}\,g(A)",
    )
