"""How much the seed matters: delta F."""

from __future__ import annotations

from theory.claim import claim
from theory.model import Model
from theory.notation import power_plain, rational
from theory.prediction import Prediction, Step
from theory.regimes import growth_regime, lazy_regime
from theory.scaling import H, neuron_growth, power
from theory.scaling import fluctuations as relative_fluctuation
from theory.steps import ARTICLE, feature_steps, lazy_steps


@claim(
    "Fluctuations between seeds: δF",
    order=40,
    margin=0.1,
    because="a fifth of the distance to no self-averaging and to 1/h",
)
def fluctuations(model: Model) -> tuple[Prediction, ...]:
    """Derive delta F ~ h^(-1/2) in both regimes, by the central limit theorem."""
    exponent = power(relative_fluctuation(H), H)
    laws = []
    for regime, steps, averaged in (
        (growth_regime(model), feature_steps(model), "the drive of the grown weights"),
        (lazy_regime(model), lazy_steps(model), "the tangent kernel"),
    ):
        reason = None
        if regime.name == "feature" and neuron_growth(model.degree) == 0:
            reason = "for k > 1 few neurons carry the output, so it does not average over the width"
        laws.append(
            Prediction(
                claim="fluctuations",
                quantity="fluctuation",
                variable="width",
                exponent=None if reason else exponent,
                expected=f"δF ~ {power_plain('h', exponent)}",
                not_claimed_because=reason,
                formula=rf"\delta F \sim h^{{{rational(exponent)}}}",
                regime=regime,
                derivation=(
                    *steps,
                    Step(
                        f"At the stop F ~ 1, whatever the width. F is decided by {averaged}, a sum over h exchangeable "
                        "neurons; by the central limit theorem it differs from seed to seed by",
                        rf"\frac{{\delta F}}{{F}} \sim \frac{{\sqrt{{h}}}}{{h}} = h^{{{rational(exponent)}}}.",
                    ),
                ),
                reference=f"{ARTICLE}, abstract: δF ~ 1/√h in both regimes",
                falsified_by="the seed-to-seed standard deviation of F falling with another power of h",
            )
        )
    return tuple(laws)
