"""How far the kernel moves while the initial weights dominate."""

from __future__ import annotations

from typing import Literal

import sympy

from theory.claim import claim
from theory.model import Model
from theory.notation import plain, rational, tex
from theory.prediction import Prediction, Regime, Step
from theory.scaling import A, H, Lazy, power
from theory.steps import ARTICLE, DERIVED, RATIO, lazy_steps

_VARIABLES: tuple[tuple[Literal["root_h_alpha", "width"], sympy.Symbol], ...] = (("root_h_alpha", A), ("width", H))
#: c2/c1 of the two terms, measured on digits and on random data: 3 for L = 1, 5 for L = 3.
LAZY_RATIO = {1: 3.0}
LAZY_RATIO_DEEP = 5.0
#: Factor by which the dominating term should exceed its rival at the edge of a window.
CLEAR = 10.0


def _edge_tex(edge: sympy.Expr) -> str:
    return "1" if edge == 0 else ("h" if edge == 1 else rf"h^{{{rational(sympy.Rational(edge))}}}")


@claim(
    "How far the kernel moves, lazy regime",
    margin=0.1,
    because="a fifth of the distance between the smooth law 1/A and the kink law A^(-1/2)",
)
def kernel_change_lazy(model: Model) -> tuple[Prediction, ...]:
    """Derive the largest of the terms of first and second order and of the neurons that change sign."""
    lazy = Lazy(model)
    terms = lazy.kernel_terms
    name = "flips" if model.kinked else "first order"
    low, high = lazy.dominates(name)
    ratio = LAZY_RATIO.get(model.depth, LAZY_RATIO_DEEP)
    # the rival at the lower edge is the second-order term
    factor = CLEAR if model.kinked else CLEAR * ratio
    regime = Regime(
        "lazy",
        rf"{_edge_tex(low)} \ll A" + ("" if high == sympy.oo else rf" \ll {_edge_tex(high)}"),
        low=factor,
        low_width_exponent=sympy.Rational(low),
        high=float("inf") if high == sympy.oo else CLEAR,
        high_width_exponent=sympy.S.Zero if high == sympy.oo else sympy.Rational(high),
    )
    second = Step(
        "Under v -> -v the output is odd and the kernel even, so that the change of first order in u averages to zero "
        "over initial weights and is seen as a fluctuation only; that of second order is coherent:",
        rf"{RATIO} \simeq \left[(c_1\,{tex(terms['first order'])})^2 + "
        rf"(c_2\,{tex(terms['second order'])})^2\right]^{{1/2}}.",
    )
    steps = [*lazy_steps(model), second]
    if model.kinked:
        steps.append(
            Step(
                "A kinked activation adds the neurons whose preactivation changes sign: a share u of the (neuron, "
                "datum) pairs, of random signs, in sums over h neurons:",
                rf"\sqrt{{u/h}} \sim {tex(terms['flips'])}.",
            )
        )
    steps.append(
        Step(
            "This term is the largest for",
            rf"{_edge_tex(low)} \ll A" + ("" if high == sympy.oo else rf" \ll {_edge_tex(high)}."),
        )
    )
    return tuple(
        Prediction(
            claim="kernel_change_lazy",
            quantity="kernel_change",
            variable=variable,
            exponent=power(terms[name], symbol),
            expected=f"rms over seeds of ||dTheta||/||Theta_0|| ~ {plain(terms[name])}"
            + ("" if variable == "root_h_alpha" else ": no collapse in A"),
            regime=regime,
            derivation=tuple(steps),
            reference=f"{DERIVED}; it refines the slope -1 drawn in {ARTICLE}",
            falsified_by="another power of "
            + ("A" if variable == "root_h_alpha" else "h at fixed A, as in a collapse"),
            statistic="rms",
            formula=rf"{RATIO} \sim {tex(terms[name])}",
        )
        for variable, symbol in _VARIABLES
    )
