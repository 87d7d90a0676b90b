"""How long dynamics stay linear: t1."""

from __future__ import annotations

import dataclasses

import sympy

from theory.claim import claim
from theory.model import Model
from theory.notation import plain, power_plain, rational, tex
from theory.prediction import Prediction, Step
from theory.regimes import feature_regime
from theory.scaling import ALPHA, A, H, Lazy, power
from theory.steps import ARTICLE, lazy_steps

#: Of the power of h: a fifth of the distance between sqrt(h)·alpha and h·alpha, or alpha alone.
NU_MARGIN = 0.1


@claim("Duration of linear dynamics: t₁", order=30, margin=0.05, because="a time has no rival closer than 1/(L+1)")
def linear_time(model: Model) -> tuple[Prediction, Prediction]:
    """Derive t1 ~ A: the trajectory leaves its tangent when weights have moved by their own size.

    Between networks of one width that is an identity; between widths it says which power of h goes with alpha.
    """
    lazy = Lazy(model)
    time = sympy.expand(lazy.onset + ALPHA)
    nu = power(time.subs(A, A + H / 2), H) / power(time, A)
    in_a = Prediction(
        claim="linear_time",
        quantity="time_linear",
        variable="root_h_alpha",
        exponent=power(time, A),
        expected=f"t₁ ~ {plain(time)}: the trajectory leaves its tangent",
        regime=feature_regime(),
        derivation=(
            *lazy_steps(model)[:2],
            Step(
                "Dynamics are linear as long as u ≪ 1, so that they end, for A ≪ 1 long before the stop, at",
                rf"t_1 = \alpha\,T\big|_{{u=1}} \sim {tex(time)}.",
            ),
        ),
        reference=f"{ARTICLE}, abstract: t₁ ~ √h·α",
        by_construction=True,
        formula=rf"t_1 \sim {tex(time)}",
        falsified_by="t₁/A drifting with A for A ≪ 1",
    )
    in_h = dataclasses.replace(
        in_a,
        quantity="nu: time_linear is a power of alpha·h^nu",
        variable="width",
        exponent=nu,
        expected=f"t₁/α ~ {power_plain('h', nu)} for A ≪ 1",
        derivation=(
            *in_a.derivation,
            Step("At fixed α that is a power of the width:", rf"\frac{{t_1}}{{\alpha}} \sim h^{{{rational(nu)}}}."),
        ),
        by_construction=False,
        formula=rf"\frac{{t_1}}{{\alpha}} \sim h^{{{rational(nu)}}}",
        falsified_by="another power of h in t₁/α",
        margin=NU_MARGIN,
    )
    return in_a, in_h
