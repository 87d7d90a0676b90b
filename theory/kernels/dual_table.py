"""Tables of duals that are integrated numerically, for inputs of one norm: a Chebyshev series in the angle.

The angle theta = arccos(c) is the variable in which duals of kinked activations are smooth: in c they end in square
roots (Cho & Saul 2009). What is tabulated is E[f(u)f(v)]/E[f(u)²], so that errors are relative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

#: (sigma_1, sigma_2, c) -> E[f(u)f(v)], an array over functions f
MeansOfPair = Callable[[float, float, float], np.ndarray]

_ANGLES = (17, 33, 65, 129, 257, 513)  #: lengths of a series, tried in turn
_RESOLVED = 1e-13  #: largest of the last four coefficients of a series that is long enough; correlations are at most 1
_USABLE = 1e-10  #: the same where no longer series is tried


class DualTable:
    """The correlations of f(u) and f(v) for several f, for u and v of one standard deviation (see `tabulate`)."""

    def __init__(self, series: np.ndarray) -> None:
        self.series = series  #: shape (functions, angles)

    def __call__(self, sigma_1: np.ndarray, sigma_2: np.ndarray, correlation: np.ndarray) -> np.ndarray:
        """Return the table at correlations of shape (n, m): shape (functions, n, m). It is for one norm: the first
        two arguments are there for those tables that are for many.
        """
        angle = np.arccos(correlation) * (2.0 / np.pi) - 1.0
        return np.array([chebyshev.chebval(angle, series) for series in self.series])


def tabulate(means_of_pair: MeansOfPair, sigma: float, budget: int) -> DualTable | None:
    """Return a table good to about 1e-10 or better, or None if that takes more than ``budget`` integrals.

    Parameters
    ----------
    means_of_pair : callable
        (sigma_1, sigma_2, c) -> E[f(u)f(v)], an array over functions f.
    sigma : float
        The standard deviation of u and v, positive.
    budget : int
        How often ``means_of_pair`` may be called.
    """
    for angles in _ANGLES:
        if angles > budget:
            return None
        series = _series(means_of_pair, sigma, angles)
        tail = float(np.max(np.abs(series[:, -4:])))
        if tail <= _RESOLVED or (angles == _ANGLES[-1] and tail <= _USABLE):
            return DualTable(_trimmed(series))
    return None


def _series(means_of_pair: MeansOfPair, sigma: float, angles: int) -> np.ndarray:
    """Return the Chebyshev coefficients in the angle, shape (functions, angles)."""
    points = chebyshev.chebpts1(angles)
    means = np.array([means_of_pair(sigma, sigma, c) for c in np.cos(0.5 * np.pi * (points + 1.0))])
    # at the Chebyshev points the discrete orthogonality of the polynomials inverts the transform
    in_angle = chebyshev.chebvander(points, angles - 1).T * (2.0 / angles)
    in_angle[0] /= 2.0
    second_moments = means_of_pair(sigma, sigma, 1.0)
    return (in_angle @ (means / np.where(second_moments > 0.0, second_moments, 1.0))).T


def _trimmed(series: np.ndarray) -> np.ndarray:
    """Return a series without its last terms where these are below rounding."""
    sizes = np.max(np.abs(series), axis=0)
    return series[:, : 1 + int(np.max(np.flatnonzero(sizes > 1e-15 * np.max(sizes)), initial=0))]
