"""Nodes and weights under normal densities of one and two variables.

On panels that carry a function as a polynomial of degree 15, 16 nodes of Gauss and Legendre integrate its products to
rounding. The density of y given x is a matrix between the nodes of two such rules, a band of it.

Without kinks, the trapezoidal rule converges exponentially under a Gaussian (Trefethen & Weideman, SIAM Review 56
(2014) 385), and takes a thirtieth of the points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

REACH = 11.0  #: standard deviations, beyond which exp(-x²/2) times a power is below rounding
BAND = 8.5  #: widths of the density beyond which it is below 1e-15 of its peak
LONGEST = 4.0  #: panels in widths of the density, on which 16 nodes are then within 1e-14
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
_BAND_REACH = 9.5  #: standard deviations, beyond which the density is below 1e-19
_BAND_ROWS = 64  #: rows of the density's matrix that are done at once
_INTERVALS = (48, 64, 96, 128, 192, 256, 384)  #: of the trapezoidal rule


class Rule:
    """Nodes and weights of Gauss and Legendre on panels.

    Parameters
    ----------
    low, high : arrays of shape (panels,)
        Where panels begin and end, ascending, in standard deviations.
    longest : float
        Panels that are longer are divided evenly.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, longest: float = 2 * REACH) -> None:
        parts = np.ceil((high - low) / longest).astype(int)
        half = np.repeat(0.5 * (high - low) / parts, parts)[:, None]
        part = np.arange(len(half)) - np.repeat(np.cumsum(parts) - parts, parts)
        self.nodes = (np.repeat(low, parts)[:, None] + half * (2 * part[:, None] + 1 + NODES)).ravel()
        self.weights = (half * WEIGHTS).ravel()
        self.normal_weights = self.weights * np.exp(-0.5 * self.nodes**2) / np.sqrt(2.0 * np.pi)

    @classmethod
    def throughout(cls, edges: np.ndarray, width: float) -> Rule:
        """Return the rule that resolves functions and a normal density of a given width everywhere.

        Parameters
        ----------
        edges : array
            Ascending edges, in standard deviations, of panels on which polynomials of degree 15 carry the functions.
        width : float
            Standard deviation of the density, at most 1.
        """
        inside = np.unique(np.clip([-_BAND_REACH, *edges, _BAND_REACH], -_BAND_REACH, _BAND_REACH))
        return cls(inside[:-1], inside[1:], LONGEST * width)


def banded_means(
    rows: Rule, columns: Rule, left: Sequence[np.ndarray], right: Sequence[np.ndarray], correlation: float
) -> np.ndarray:
    """Return E[f(x) g(y)] of x, y ~ N(0, 1) with |correlation| < 1, by a matrix of the density of y given x.

    Parameters
    ----------
    rows, columns : Rule
        Of panels of at most ``LONGEST`` widths sqrt(1 - correlation²); x may be confined to the rows, and then y to
        within ``BAND`` widths of theirs.
    left, right : sequences of arrays
        Values of functions at their nodes, one pair of arrays (n, rows) and (m, columns) after the other.

    Returns
    -------
    array of shape (pairs, n, m)
    """
    width = np.sqrt((1.0 - correlation) * (1.0 + correlation))
    density_weights = columns.weights / (width * np.sqrt(2.0 * np.pi))
    weighted = [(f * rows.normal_weights, g * density_weights) for f, g in zip(left, right, strict=True)]
    total = np.zeros((len(weighted), len(left[0]), len(right[0])))
    for start in range(0, len(rows.nodes), _BAND_ROWS):
        block = slice(start, start + _BAND_ROWS)
        centers = correlation * rows.nodes[block]
        band = BAND * width
        low, high = np.searchsorted(columns.nodes, [centers.min() - band, centers.max() + band])
        density = np.exp(-0.5 * ((columns.nodes[low:high] - centers[:, None]) / width) ** 2)
        for mean, (f, g) in zip(total, weighted, strict=True):
            mean += f[:, block] @ (density @ g[:, low:high].T)
    return total


def trapezoid(functions: Sequence[Function], largest: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Return nodes and weights under the normal density that resolve products of f(largest·x); None if too many."""
    before = np.full(len(functions), np.nan)
    for intervals in _INTERVALS:
        x = np.linspace(-REACH, REACH, intervals + 1)
        weight = (x[1] - x[0]) * np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
        means = np.array([weight @ f(largest * x) ** 2 for f in functions])
        if np.all(np.abs(means - before) <= 1e-13 * np.abs(means)):
            return x, weight
        before = means
    return None
