"""Duals that are integrated numerically, tabulated: Chebyshev series in the angle, and in the norms if they differ.

The angle theta = arccos(c) is the variable in which duals of kinked activations are smooth: in c they end in square
roots (Cho & Saul 2009). What is tabulated is E[f(u)f(v)]/sqrt(E[f(u)²] E[f(v)²]), so that errors are relative.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

Pair = Callable[[float, float, float], np.ndarray]

_ANGLES = (17, 33, 65, 129, 257, 513)
_NORMS = (4, 7, 11, 16, 24)
_RESOLVED = 1e-13
_USABLE = 1e-9
_SAME = 1e-12  #: norms this close to each other, relatively, are one


class DualTable:
    """The correlations of f(u) and f(v) for several f, for standard deviations in [low, high] and any angle.

    Use `tabulate`, which finds the orders that are needed.
    """

    def __init__(self, pair: Pair, low: float, high: float, norms: int, angles: int) -> None:
        self._low, self._high = np.log(low), np.log(high)
        nodes = chebyshev.chebpts1(norms)
        sigma = np.exp(self._low + 0.5 * (nodes + 1.0) * (self._high - self._low))
        root_moments = np.sqrt([pair(s, s, 1.0) for s in sigma]).T
        points = chebyshev.chebpts1(angles)
        correlations = np.cos(0.5 * np.pi * (points + 1.0))
        values = np.empty((root_moments.shape[0], norms, norms, angles))
        for i, j in itertools.combinations_with_replacement(range(norms), 2):
            means = np.array([pair(sigma[i], sigma[j], c) for c in correlations]).T
            values[:, i, j] = means / (root_moments[:, i] * root_moments[:, j])[:, None]
            values[:, j, i] = values[:, i, j]
        in_norms = np.linalg.inv(chebyshev.chebvander(nodes, norms - 1))
        # at the Chebyshev points the discrete orthogonality of the polynomials inverts the transform
        in_angle = chebyshev.chebvander(points, angles - 1).T * (2.0 / angles)
        in_angle[0] /= 2.0
        self.series = np.einsum("ai,bj,kijm,lm->kabl", in_norms, in_norms, values, in_angle, optimize=True)

    @property
    def tail(self) -> float:
        """The size of the last terms of the series in the angle."""
        return float(np.max(np.abs(self.series[..., -4:])))

    def trimmed(self) -> DualTable:
        """Leave out the last terms of the series in the angle that are below rounding."""
        sizes = np.max(np.abs(self.series), axis=(0, 1, 2))
        order = 1 + int(np.max(np.flatnonzero(sizes > 1e-15 * np.max(sizes)), initial=0))
        self.series = self.series[..., :order]
        return self

    def __call__(self, sigma_1: np.ndarray, sigma_2: np.ndarray, correlation: np.ndarray) -> np.ndarray:
        """Return the table at norms of shapes (n,) and (m,) and correlations of shape (n, m).

        Returns
        -------
        array of shape (functions, n, m)
        """
        angle = np.arccos(correlation) * (2.0 / np.pi) - 1.0
        if self.series.shape[1] == 1:
            return np.array([chebyshev.chebval(angle, series[0, 0]) for series in self.series])
        left, right = (self._basis(sigma) for sigma in (sigma_1, sigma_2))
        series = np.einsum("na,kabl,mb->klnm", left, self.series, right, optimize=True)
        return np.array([chebyshev.chebval(angle, row, tensor=False) for row in series])

    def _basis(self, sigma: np.ndarray) -> np.ndarray:
        nodes = 2.0 * (np.log(sigma) - self._low) / (self._high - self._low) - 1.0
        return chebyshev.chebvander(np.clip(nodes, -1.0, 1.0), self.series.shape[1] - 1)


def tabulate(pair: Pair, low: float, high: float, budget: int) -> DualTable | None:
    """Return a table good to 1e-9 or better, or None if it would take more than ``budget`` calls of ``pair``.

    The order in the angle grows until its series has ended, that in the norms until the table agrees with ``pair``
    between its points.

    Parameters
    ----------
    pair : callable
        (sigma_1, sigma_2, c) -> E[f(u)f(v)], an array over functions f.
    low, high : float
        Smallest and largest standard deviation, positive.
    """
    single = high - low <= _SAME * high
    corners = [(low, low)] if single else [(low, low), (high, high), (low, high)]
    angles = _enough_angles(pair, corners, budget)
    if angles is None:
        return None
    for norms in (1,) if single else _NORMS:
        if angles * norms * (norms + 1) // 2 > budget:
            return None
        table = DualTable(pair, low, high, norms, angles)
        error = _error(table, pair, low, high)
        if error <= (_USABLE if single or norms == _NORMS[-1] else 1e-2 * _USABLE):
            return table.trimmed()
    return None


def _enough_angles(pair: Pair, corners: list[tuple[float, float]], budget: int) -> int | None:
    for angles in _ANGLES:
        if angles * len(corners) > budget:
            return None
        worst = max(_angle_tail(pair, first, second, angles) for first, second in corners)
        if worst <= _RESOLVED or (angles == _ANGLES[-1] and worst <= _USABLE):
            return angles
    return None


def _angle_tail(pair: Pair, first: float, second: float, angles: int) -> float:
    points = chebyshev.chebpts1(angles)
    root_moments = np.sqrt(pair(first, first, 1.0) * pair(second, second, 1.0))
    values = np.array([pair(first, second, c) for c in np.cos(0.5 * np.pi * (points + 1.0))]) / root_moments
    return float(np.max(np.abs(chebyshev.chebvander(points, angles - 1).T[-4:] @ values))) * 2.0 / angles


def _error(table: DualTable, pair: Pair, low: float, high: float) -> float:
    """The largest difference between table and integral at points that fill the ranges evenly (Kronecker's sequence).

    Half of them are at nearly equal norms and small angles, where duals of kinked activations are sharpest.
    """
    worst = 0.0
    for k in range(1, 25):
        first, second, turn = np.mod(k * np.array([0.8191725, 0.6710436, 0.5497005]), 1.0)
        if k % 2:
            second, turn = np.clip(first + 0.03 * (second - 0.5), 0.0, 1.0), 0.05 * turn**2
        sigma_1, sigma_2 = low * (high / low) ** first, low * (high / low) ** second
        c = np.cos(np.pi * turn)
        root_moments = np.sqrt(pair(sigma_1, sigma_1, 1.0) * pair(sigma_2, sigma_2, 1.0))
        means = table(np.array([sigma_1]), np.array([sigma_2]), np.array([[c]]))[:, 0, 0]
        worst = max(worst, float(np.max(np.abs(means - pair(sigma_1, sigma_2, c) / root_moments))))
    return worst
