"""Whether the times that training takes at all widths fall on one curve in A."""

from __future__ import annotations

import sympy

from theory.claim import claim
from theory.model import Model
from theory.notation import power_plain, times
from theory.prediction import Prediction, Regime, Step
from theory.regimes import growth_regime, lazy_regime
from theory.scaling import ALPHA, Feature, H, Lazy, power
from theory.steps import ARTICLE, feature_steps, lazy_steps, no_mean_field


@claim(
    "Collapse of the half-time in A",
    order=112,
    margin=0.1,
    because="a fifth of the distance to times that go with α or with h·α",
)
def time_collapse(model: Model) -> tuple[Prediction, Prediction]:
    """Derive the power of h of t_half at fixed A: none, in either regime."""
    feature, lazy = Feature(model), Lazy(model)
    refusal = "for k > 1 the time of the blow-up depends on the width" if model.degree > 1 else None
    if model.degree == 0:
        refusal = no_mean_field(model)
    growing = sympy.expand(feature.completion[0] + ALPHA)
    frozen = sympy.expand(lazy.duration + ALPHA)
    return (
        _law(growth_regime(model), growing, feature_steps(model), refusal),
        _law(lazy_regime(model, wide=True), frozen, lazy_steps(model), None),
    )


def _law(regime: Regime, time: sympy.Expr, steps: tuple[Step, ...], refusal: str | None) -> Prediction:
    in_h = power(time, H)
    return Prediction(
        claim="time_collapse",
        quantity="time_half",
        variable="width",
        exponent=None if refusal else in_h,
        expected=f"at fixed A the half time goes as {power_plain('h', in_h)}"
        if in_h
        else "at fixed A the half time does not depend on h: the times of all widths are one curve",
        not_claimed_because=refusal,
        regime=regime,
        derivation=(
            *steps,
            Step(
                "Neither the growth of the weights nor the pace of a frozen kernel has another power of h at fixed A:",
                rf"t_{{1/2}} = {times(in_h * H)}g(A).",
            ),
        ),
        reference=f"{ARTICLE}, figure: t½/(√h·α) against √h·α",
        falsified_by="another power of h in t½ at fixed A",
        formula=rf"t_{{1/2}} = {times(in_h * H)}g(A)",
    )
