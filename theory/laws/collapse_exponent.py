"""The nu of a collapse in alpha·h^nu: of the whole crossover, and of the lazy regime by itself."""

from __future__ import annotations

import dataclasses

import sympy

from theory.claim import claim
from theory.laws.kernel_change_lazy import claimed_term, kernel_change_lazy, lazy_kernel_regime
from theory.model import Model
from theory.notation import power_plain, power_tex, rational
from theory.prediction import Prediction, Regime, Step
from theory.scaling import ALPHA, A, H, Lazy, power
from theory.steps import ARTICLE, RATIO, lazy_steps, no_kernel_law

#: The crossover's collapse is tested up to here: beyond, the first-order term of the lazy kernel change breaks it.
CROSSOVER_EDGE = 10.0


@claim(
    "Collapse exponent ν",
    order=130,
    margin=0.1,
    because="a fifth of the distance between √h·α, h·α and h^(3/2)·α",
)
def collapse_exponent(model: Model) -> tuple[Prediction, ...]:
    """Derive nu in alpha·h^nu from where the regimes meet, and from the two powers of the lazy law."""
    nu = -power(ALPHA.subs(A, Lazy(model).crossover), H)
    reason = "for k > 1 no α·h^ν collapses both regimes" if model.degree > 1 else no_kernel_law(model)
    both_regimes = Prediction(
        claim="collapse_exponent",
        quantity="nu: kernel_change is one function of alpha·h^nu",
        variable="width",
        exponent=None if reason else nu,
        expected=f"the kernel changes of all widths are one function of α·{power_plain('h', nu)}",
        not_claimed_because=reason,
        regime=Regime(None, r"A \lesssim 10", high=CROSSOVER_EDGE),
        derivation=(
            *lazy_steps(model),
            Step(
                "Both regimes meet at a fixed A, and neither law has another power of h:",
                rf"{RATIO} = g(A), \qquad A = \alpha\,{power_tex('h', nu)}.",
            ),
        ),
        reference=f"{ARTICLE}, figures: collapse in √h·α",
        falsified_by="curves of different widths that another power of h brings together",
        formula=rf"{RATIO} = g(\alpha\,{power_tex('h', nu)})",
    )
    in_a, in_h = kernel_change_lazy(model)
    if in_a.exponent is None or in_h.exponent is None:
        return (both_regimes,)
    lazy_nu = sympy.Rational(1, 2) + in_h.exponent / in_a.exponent
    lazy = dataclasses.replace(
        in_h,
        claim="collapse_exponent",
        quantity=both_regimes.quantity,
        exponent=lazy_nu,
        regime=lazy_kernel_regime(model, collapse=True),
        expected=f"in the lazy regime the kernel changes are one function of α·{power_plain('h', lazy_nu)} instead",
        derivation=(
            *in_h.derivation,
            Step(
                "A power of A and one of h at fixed A are one power of",
                rf"h^{{q}}A^{{p}} = (\alpha\,h^{{1/2 + q/p}})^p, \qquad "
                rf"\tfrac12 + \tfrac{{q}}{{p}} = {rational(lazy_nu)}.",
            ),
            Step(
                "Terms of first and second order that are not the claimed one, and have the shares s₁ and s₂ of the "
                "square, bend both powers, and ν to",
                rf"\nu \simeq {_bent(model, lazy_nu)}.",
            ),
        ),
        falsified_by="curves of different widths that another power of h brings together",
        formula=rf"{RATIO} = g(\alpha\,{power_tex('h', lazy_nu)})",
    )
    return both_regimes, lazy


def _bent(model: Model, nu: sympy.Rational) -> str:
    """nu with the terms that are not claimed, to first order in their shares of the square: LaTeX.

    With powers p_i and q_i of the terms, q = sum_i s_i q_i and p = sum_i s_i p_i.
    """
    terms = Lazy(model).kernel_terms
    claimed = terms[claimed_term(model)]
    ratio, p = power(claimed, H) / power(claimed, A), power(claimed, A)
    text = rational(nu)
    for share, name in (("s_1", "first order"), ("s_2", "second order")):
        by = (power(terms[name], H) - ratio * power(terms[name], A)) / p
        if by:
            factor = "" if abs(by) == 1 else rf"{rational(abs(by))}\,"
            text += f" {'-' if by < 0 else '+'} {factor}{share}"
    return text
