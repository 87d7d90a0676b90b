"""How long dynamics stay linear: t1."""

from __future__ import annotations

import sympy

from theory.claim import claim
from theory.model import Model
from theory.notation import plain, tex
from theory.prediction import Prediction, Step
from theory.regimes import feature_regime
from theory.scaling import ALPHA, A, Lazy, power
from theory.steps import ARTICLE, lazy_steps


@claim("How long dynamics stay linear: t1", margin=0.05, because="a time has no rival closer than 1/(L+1)")
def linear_time(model: Model) -> Prediction:
    """Derive t1 ~ A: the trajectory leaves its tangent when weights have moved by their own size."""
    lazy = Lazy(model)
    time = sympy.expand(lazy.onset + ALPHA)
    return Prediction(
        claim="linear_time",
        quantity="time_linear",
        variable="root_h_alpha",
        exponent=power(time, A),
        expected=f"t1 ~ {plain(time)}: the trajectory leaves its tangent",
        regime=feature_regime(),
        derivation=(
            *lazy_steps(model)[:2],
            Step(
                "Dynamics are linear as long as u << 1, so that they end, for A << 1 long before the stop, at",
                rf"t_1 = \alpha\,T\big|_{{u=1}} \sim {tex(time)}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract: t1 ~ sqrt(h)·alpha",
        by_construction=True,
        formula=rf"t_1 \sim {tex(time)}",
        falsified_by="time_linear / A drifting with A for A << 1",
    )
