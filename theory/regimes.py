"""Where laws are claimed: regimes of A = sqrt(h)·alpha on which a measurement can be made."""

from __future__ import annotations

import sympy

from theory.prediction import Regime

#: Feature laws are tested below this A: the corrections A^(2/D) have then fallen to about a tenth.
FEATURE_EDGE = 1e-2
#: ||w - w_0|| has larger corrections, A^(1/D), fitted along with their predicted power, and so a smaller window.
FEATURE_EDGE_WEIGHTS = 1e-3
#: Lazy laws without a competing term hold to a relative 1/A.
LAZY_EDGE = 1e2


def feature_regime(edge: float = FEATURE_EDGE) -> Regime:
    """A << 1, up to an edge: weights have outgrown their initial values."""
    return Regime("feature", r"A \ll 1", high=edge)


def lazy_regime(edge: float = LAZY_EDGE) -> Regime:
    """A >> 1, from an edge on: the tangent kernel is frozen."""
    return Regime("lazy", r"A \gg 1", low=edge)


def window_edge(correction: sympy.Rational, margin: float) -> float:
    """Return the A below which a correction 1 + A^w bends a local slope by less than ``margin``.

    The local slope of A^p (1 + b A^w) is p + w·b·A^w to first order; b is taken to be one.
    """
    w = float(correction)
    return min(1.0, (margin / w) ** (1.0 / w))
