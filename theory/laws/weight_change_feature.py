"""How far the weights move where they outgrow their initial values."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import plain, tex
from theory.prediction import Prediction, Step
from theory.regimes import FEATURE_EDGE, FEATURE_EDGE_WEIGHTS, growth_regime
from theory.scaling import A, Feature, neuron_growth, power
from theory.steps import DERIVED, feature_steps, no_mean_field, once_corrected, saturation_steps


@claim(
    "Weight change, feature regime",
    order=90,
    margin=0.05,
    because="a fifth of the distance between the powers 1/2 of L = 1 and 1/4 of L = 3",
)
def weight_change_feature(model: Model) -> tuple[Prediction, ...]:
    """Derive ||w - w_0|| from the common scale that all layers grow to."""
    feature = Feature(model, neuron_growth(model.degree))
    change = feature.weight_change
    reason = no_mean_field(model)
    correction = feature.saturation_correction if model.degree == 0 else feature.gain_correction
    edge = FEATURE_EDGE if correction is None else FEATURE_EDGE_WEIGHTS
    steps = (
        *feature_steps(model),
        *saturation_steps(model),
        Step(
            "A coherent gain Λ takes weights of Frobenius norm",
            rf"\|w - w_0\| \sim \sqrt{{h}}\,\Lambda \sim {tex(change)}.",
        ),
    )
    return (
        Prediction(
            claim="weight_change_feature",
            quantity="weight_change",
            variable="root_h_alpha",
            exponent=None if reason else power(change, A),
            expected=f"‖w − w₀‖ ~ {plain(change)}",
            not_claimed_because=reason,
            formula=rf"\|w - w_0\| \sim {tex(change)}",
            regime=growth_regime(model, edge),
            derivation=steps,
            reference=DERIVED,
            falsified_by="another power of A" + once_corrected(correction),
            correction_exponent=correction,
            counts_layers=True,
        ),
    )
