"""Where laws are claimed: regimes of A = sqrt(h)·alpha on which a measurement can be made."""

from __future__ import annotations

import math

import sympy

from theory.model import Model
from theory.notation import number, rational
from theory.prediction import Regime
from theory.scaling import Feature

#: Feature laws are tested below this A: the corrections A^(2/D) have then fallen to about a tenth.
FEATURE_EDGE = 1e-2
#: ||w - w_0|| has larger corrections, A^(1/D), fitted along with their predicted power, and so a smaller window.
FEATURE_EDGE_WEIGHTS = 1e-3
#: Where a single neuron carries f, its laws are tested below this fraction of the A at which it gets ahead.
SINGLE_NEURON_EDGE = 1e-2
#: Lazy laws without a competing term hold to a relative 1/A.
LAZY_EDGE = 1e2
#: The largest relative change of signals in the lazy regime: the smallest margin of its laws in A.
LAZY_CHANGE = 0.05
#: Where the inverse of the frozen kernel of N points is that of infinite width, as a condition: LaTeX.
_WIDE = r", \ h \gtrsim N"
#: What has no number in float64 is as good as this.
_LARGEST = 1e300


def feature_regime(edge: float = FEATURE_EDGE) -> Regime:
    """A << 1, up to an edge: weights have outgrown their initial values."""
    return Regime("feature", r"A \ll 1", high=edge)


def growth_regime(model: Model, edge: float = FEATURE_EDGE) -> Regime:
    """Where weights have grown, and carried preactivations to where sigma has its degree.

    Preactivations of the first hidden layer grow as the gain, Lambda = A^(-1/D), and pass the onset z* of the degree
    for A below z*^(-D), or z*^(-(L+1)) if sigma is linear until then. Those of the last one are the largest, of degree
    (D - 1)/k in the gains, and the first to leave the range of the degree, if that ends.

    For k > 1 the neurons of one hidden layer blow up one after the other: while r is large, a neuron's size grows as
    r' ~ r^k, so that the sizes are spread with a density r^(-k), and f = <r^(k+1)> ~ R² up to the largest, R. It holds
    h·R^(1-k) neurons, and is alone once f ~ 1/A has passed h^(2/(k-1)): the laws of a single winner need A below that.
    """
    total = float(Feature(model).total_degree)
    steepest = max(total, model.depth + 1.0)
    high = min(edge, model.onset**-steepest)
    low = 0.0 if math.isinf(model.reach) else model.reach ** -(total * float(model.degree) / (total - 1.0))
    if model.degree > 1:
        power_of_h = 2 / (1 - model.degree)
        below = rf"A \ll h^{{{rational(power_of_h)}}}"
        return Regime("feature", below, high=min(high, SINGLE_NEURON_EDGE), high_width_exponent=power_of_h)
    below = r"A \ll 1" if high == edge else rf"A \ll {number(high)}"
    return Regime("feature", below if low == 0 else rf"{number(low)} \ll {below}", low=low, high=high)


def lazy_regime(model: Model, *, wide: bool = False) -> Regime:
    """A >> 1 and signals that change by less than `LAZY_CHANGE`: the tangent kernel is frozen.

    Of networks that are no narrower than there are training points, if ``wide``.
    """
    delay = lazy_delay(model)
    above = "1" if delay == 1 else rf"\chi^{{{rational(_half_depth(model))}}} = {number(_onset(model))}"
    return Regime("lazy", rf"A \gg {above}{_WIDE if wide else ''}", low=LAZY_EDGE * delay)


def lazy_delay(model: Model) -> float:
    """Return the factor, 1 or more, by which an activation that is nearly constant delays the lazy regime in A.

    A layer leaves chi = E[sigma'^2]/E[sigma^2] of the squared difference of two inputs, so that the part of a signal
    that differs from input to input is chi^(L/2) at the output. Margins need an f - f_0 ~ 1/A that differs: that part
    changes, in each layer, by u ~ chi^(-L/2)/A of itself. In terms of the frozen kernel, the share chi^L of it tells
    inputs apart, and |w - w_0|² = F^T Theta^(-1) F h/A². Where chi is about one or more, A > `LAZY_EDGE` is enough.
    """
    return max(1.0, _onset(model) / (LAZY_CHANGE * LAZY_EDGE))


def _half_depth(model: Model) -> sympy.Rational:
    return sympy.Rational(-model.depth, 2)


def _onset(model: Model) -> float:
    """chi^(-L/2)."""
    if model.susceptibility == 0:
        return _LARGEST
    logarithm = float(_half_depth(model)) * math.log(model.susceptibility)
    return math.exp(min(logarithm, math.log(_LARGEST)))


def window_edge(correction: sympy.Rational, margin: float) -> float:
    """Return the A below which a correction 1 + A^w bends a local slope by less than ``margin``; 1 if all do.

    The local slope of A^p (1 + b A^w) is p + w·b·A^w to first order; b is taken to be one.
    """
    w = float(correction)
    return min(1.0, (margin / w) ** (1.0 / w))
