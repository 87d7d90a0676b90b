"""When the loss has halved."""

from __future__ import annotations

import sympy

from theory.claim import claim
from theory.dynamics import SAME_COURSE_WHERE_LAZY
from theory.model import Model
from theory.notation import plain, rational, tex
from theory.prediction import Form, Prediction, Step
from theory.regimes import FEATURE_EDGE, FEATURE_EDGE_WEIGHTS, growth_regime, lazy_regime
from theory.scaling import ALPHA, A, Feature, Lazy, power
from theory.steps import DERIVED, feature_steps, lazy_steps, no_mean_field, once_corrected, saturation_steps


@claim("Half-time of the loss: t½", order=110, margin=0.05, because="a time has no rival closer than 1/(L+1)")
def half_time(model: Model) -> tuple[Prediction, ...]:
    """Derive how long the growth takes (feature regime), and the frozen kernel's pace (lazy regime)."""
    feature, lazy = Feature(model), Lazy(model)
    duration, logarithmic = feature.completion
    time = sympy.expand(duration + ALPHA)
    growth = rf"\dot B \sim f \sim B^{{D/2}}, \qquad D = {rational(feature.total_degree)}"
    if logarithmic:
        words = "t½ ~ A·(a + b·ln(1/A)): exponential growth, no power"
        step = Step(
            "For D = 2 growth is exponential: a factor 1/A takes a number of e-folds", r"t_{1/2} \sim A\,\ln(1/A)."
        )
    else:
        words = f"t½ ~ {plain(time)}"
        step = Step("The time in which B grows to its final size is", rf"t_{{1/2}} \sim {tex(time)}.")
    reason = "for k > 1 the time of the blow-up depends on the width" if model.degree > 1 else None
    if model.degree == 0:
        reason = no_mean_field(model)
    correction = None if reason else feature.completion_correction
    in_feature = Prediction(
        claim="half_time",
        quantity="time_half",
        variable="root_h_alpha",
        exponent=None if logarithmic or reason else power(time, A),
        expected=words,
        not_claimed_because=reason,
        form=Form.LOGARITHM if logarithmic else Form.POWER,
        formula=r"t_{1/2} \sim A\,(a + b \ln(1/A))" if logarithmic else rf"t_{{1/2}} \sim {tex(time)}",
        regime=growth_regime(model, FEATURE_EDGE if correction is None else FEATURE_EDGE_WEIGHTS),
        derivation=(
            *feature_steps(model),
            *saturation_steps(model),
            Step("Beyond the end of linear dynamics the squared gain grows as", growth),
            step,
        ),
        reference=DERIVED,
        falsified_by="another power of A"
        + (" (or, where a logarithm is predicted, a power)" if logarithmic else "")
        + once_corrected(correction),
        correction_exponent=correction,
        counts_layers=True,
    )
    lazy_time = sympy.expand(lazy.duration + ALPHA)
    in_lazy = Prediction(
        claim="half_time",
        quantity="time_half",
        variable="root_h_alpha",
        exponent=power(lazy_time, A),
        expected="t½ independent of A: the frozen kernel sets the pace",
        regime=lazy_regime(model),
        derivation=(*lazy_steps(model), Step("In article time,", rf"t = \alpha T \sim {tex(lazy_time)}.")),
        reference=DERIVED,
        by_construction=True,
        dynamics=SAME_COURSE_WHERE_LAZY,
        formula=rf"t_{{1/2}} \sim {tex(lazy_time)}",
        falsified_by="a half-time that changes with A for A ≫ 1",
    )
    return in_feature, in_lazy
