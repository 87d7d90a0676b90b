"""How far the kernel moves while the initial weights dominate."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import sympy

from theory.claim import claim
from theory.model import Model
from theory.notation import number, plain, rational, tex
from theory.prediction import Prediction, Regime, Step
from theory.regimes import lazy_delay
from theory.scaling import A, H, Lazy, power
from theory.steps import ARTICLE, DERIVED, RATIO, lazy_steps

_VARIABLES: tuple[tuple[Literal["root_h_alpha", "width"], sympy.Symbol], ...] = (("root_h_alpha", A), ("width", H))
#: c2/c1 of the two terms, measured on digits and on random data: 3 for L = 1, 5 for L = 3.
LAZY_RATIO = {1: 3.0}
LAZY_RATIO_DEEP = 5.0
#: c1²/s times the strength of the kinks, s the variance that flips leave: smallest and largest measured on digits
#: (python -m benchmarks.lazy_terms) over ReLU (c1 = 5.5, s = 2.3 at L = 1; 14 and 7.5 at L = 3), leaky ReLU of slopes
#: 0.5 and 0.9, hardswish and a clipped line.
FLIP_RATIO = {1: (8.0, 13.0)}
FLIP_RATIO_DEEP = (5.0, 25.0)
#: Factor by which the dominating term should exceed its rival at the edge of a window.
CLEAR = 10.0
#: The same of squares, between flips and first order, whose exponents are 1/2 apart: the mean slope of a decade from
#: the edge on is then within 0.05 of the law.
CLEAR_OF_FLIPS = 4.0
#: Both for the nu of a collapse of flips, 3/2 less s1 + 4 s2 with the shares s1, s2 of the terms of first and second
#: order in the square: from here on the mean of a decade is within half of the margin.
CLEAR_FOR_COLLAPSE, CLEAR_OF_FLIPS_FOR_COLLAPSE = 25.0, 10.0
#: Kinks below this strength need more than a thousand neurons for a decade in which their flips dominate.
WEAKEST_KINK = 0.05


def _edge_tex(edge: sympy.Expr) -> str:
    return "1" if edge == 0 else ("h" if edge == 1 else rf"h^{{{rational(sympy.Rational(edge))}}}")


@claim(
    "Kernel change, lazy regime",
    order=80,
    margin=0.1,
    because="a fifth of the distance between the smooth law 1/A and the kink law A^(−1/2)",
)
def kernel_change_lazy(model: Model) -> tuple[Prediction, ...]:
    """Derive the largest of the terms of first and second order and of the neurons that pass a kink."""
    terms, name = Lazy(model).kernel_terms, claimed_term(model)
    regime = lazy_kernel_regime(model)
    return tuple(
        Prediction(
            claim="kernel_change_lazy",
            quantity="kernel_change",
            variable=variable,
            exponent=power(terms[name], symbol),
            expected=f"rms over seeds of ‖ΔΘ‖/‖Θ₀‖ ~ {plain(terms[name])}"
            + ("" if variable == "root_h_alpha" else ": no collapse in A"),
            regime=regime,
            derivation=_steps(model, regime),
            reference=f"{DERIVED}; it refines the slope −1 drawn in {ARTICLE}",
            falsified_by="another power of "
            + ("A" if variable == "root_h_alpha" else "h at fixed A, as in a collapse"),
            statistic="rms",
            formula=rf"{RATIO} \sim {tex(terms[name])}",
        )
        for variable, symbol in _VARIABLES
    )


def lazy_kernel_regime(model: Model, *, collapse: bool = False) -> Regime:
    """Return where the lazy kernel change is a single power of A and h; ``collapse``: near enough to it for a collapse.

    The nu of a collapse is 1/2 + q/p with the powers p of A and q of h at fixed A, and the bias of one does not make
    up for that of the other.
    """
    if claimed_term(model) == "first order":
        return _first_order_regime(model)
    if collapse:
        return _flips_regime(model, CLEAR_FOR_COLLAPSE, CLEAR_OF_FLIPS_FOR_COLLAPSE)
    return _flips_regime(model, CLEAR, CLEAR_OF_FLIPS)


def claimed_term(model: Model) -> str:
    """Return which of the terms of `Lazy.kernel_terms` is claimed to be the largest in a window."""
    return "flips" if model.kinked and model.kink_strength >= WEAKEST_KINK else "first order"


def _flips_regime(model: Model, clear: float, clear_of_flips: float) -> Regime:
    """Where the squares of the terms of first and second order are small against that of the flips, and flips occur."""
    low, high = Lazy(model).dominates("flips")
    return Regime(
        "lazy",
        rf"{_edge_tex(low)} \ll A \ll {_edge_tex(high)}",
        low=clear * model.kink_strength ** (-1 / 3) * lazy_delay(model),
        low_width_exponent=sympy.Rational(low),
        low_floor=clear_of_flips * _first_order_and_flips_meet(model)[1] * lazy_delay(model),
        high=CLEAR,
        high_width_exponent=sympy.Rational(high),
    )


def _first_order_regime(model: Model) -> Regime:
    """Where the term of second order, and the flips at weak kinks, are small against that of first order."""
    low, _ = Lazy(dataclasses.replace(model, kinked=False)).dominates("first order")
    # a kink that no preactivation of an initial network reaches has strength zero: nothing flips
    flips = model.kinked and model.kink_strength > 0
    high = _first_order_and_flips_meet(model)[0] / CLEAR_OF_FLIPS if flips else math.inf
    below = "" if math.isinf(high) else rf" \ll {number(high)}"
    ratio = LAZY_RATIO.get(model.depth, LAZY_RATIO_DEEP)
    return Regime(
        "lazy",
        rf"{_edge_tex(low)} \ll A{below}",
        low=CLEAR * ratio * lazy_delay(model),
        low_width_exponent=sympy.Rational(low),
        high=high,
    )


def _first_order_and_flips_meet(model: Model) -> tuple[float, float]:
    """The A at which c1²/(h A²) = s/(h A), from and to."""
    smallest, largest = FLIP_RATIO.get(model.depth, FLIP_RATIO_DEEP)
    return smallest / model.kink_strength, largest / model.kink_strength


def _steps(model: Model, regime: Regime) -> tuple[Step, ...]:
    terms = Lazy(model).kernel_terms
    squares = rf"(c_1\,{tex(terms['first order'])})^2 + (c_2\,{tex(terms['second order'])})^2"
    steps = [
        *lazy_steps(model),
        Step(
            "Under v → −v the output is odd and the kernel even, so that the change of first order in u averages to "
            "zero over initial weights and is seen as a fluctuation only; that of second order is coherent:",
            rf"{RATIO} \simeq \left[{squares}\right]^{{1/2}}.",
        ),
    ]
    if model.kinked:
        steps.append(
            Step(
                "A kinked activation adds the neurons whose preactivation passes a kink z_k: a share u times the "
                "density p(z_k) of the (neuron, datum) pairs, each of which changes σ′ by the jump J_k, with a "
                "random sign in sums over h neurons:",
                rf"s\,({tex(terms['flips'])})^2, \qquad s \propto c^2 \sum_k J_k^2\,p(z_k) = "
                rf"{model.kink_strength:.3g}\,s_{{\mathrm{{ReLU}}}}.",
            )
        )
    steps.append(Step("The term that is claimed is the largest for", f"{regime.condition}."))
    return tuple(steps)
