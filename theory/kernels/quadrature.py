"""E[f(u) f(v)] over two correlated Gaussians for any f of one variable, kinks included.

With u = s1 x and v = s2 (c x + sqrt(1 - c²) y), x and y independent, the inner integral over y is split where v meets a
kink, and the outer one where u does. Averaging over y rounds v's kinks off to a width sqrt(1 - c²) in x, which vanishes
as c -> ±1: panels that shrink with it stand around these places. Panels everywhere are such that polynomials of degree
15 carry f to rounding; they are found by halving, so a sharp bend that isn't a kink costs panels and not accuracy.

Where that width is not small the density of v given u is a matrix between nodes of f's panels, a band of it, and f is
evaluated at these alone.

Without kinks, the trapezoidal rule converges exponentially under a Gaussian (Trefethen & Weideman, SIAM Review 56
(2014) 385), and takes a thirtieth of the points; it is used where its step need not be small.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import sympy

from theory import functions
from theory.evaluation import numpy_value

Function = Callable[[np.ndarray], np.ndarray]

REACH = 11.0  #: standard deviations, beyond which exp(-x²/2) times a power is below rounding
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_TO_LEGENDRE = np.linalg.inv(np.polynomial.legendre.legvander(_NODES, 15))
_REGULAR = np.linspace(-REACH, REACH, 9)  #: edges of panels that stand whatever the function
_OFFSETS = np.array([-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0])  #: of edges from a rounded kink, in its widths
_MOST_PANELS = 200  #: beside those that begin and end at kinks
_MOST_KINKS = 1000
_LONGEST = 4.0  #: panels in widths of the density, on which 16 nodes are then within 1e-14
_BAND = 8.0  #: widths of the density beyond which it is below 1e-14 of its peak
_NARROWEST = 2e-3  #: width of the density from which it is a band of a matrix, rather than integrated at each node
_BAND_REACH = 9.5  #: standard deviations, beyond which the density is below 1e-19
_INTERVALS = (48, 64, 96, 128, 192, 256, 384)  #: of the trapezoidal rule
_ROWS = 64  #: rows of the double integral that are done at once
_BAND_ROWS = 128  #: the same of the band


class Unresolved(Exception):
    """The function varies too quickly to be integrated to the accuracy promised."""


def kinks(expression: sympy.Expr, reach: float) -> np.ndarray:
    """Return where the expression switches branches for |z| <= reach, ascending: jumps of any of its derivatives."""
    switching = (functions.step, functions.signum, functions.absolute, functions.relu, functions.select)
    grid = reach * np.linspace(-1.0, 1.0, 20001)
    switch_points: list[np.ndarray] = []
    for argument in {node.args[0] for node in expression.atoms(*switching)}:
        positive = numpy_value(argument, grid) > 0
        crossings = np.flatnonzero(positive[1:] != positive[:-1])
        low, high, before = grid[crossings], grid[crossings + 1], positive[crossings]
        for _ in range(60):
            middle = 0.5 * (low + high)
            same = (numpy_value(argument, middle) > 0) == before
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        # exact for the plain kinks at zero: the last interval holds it and is shorter than rounding
        switch_points.append(np.where(np.abs(high) < 1e-15 * reach, 0.0, high))
    return _distinct(np.concatenate(switch_points), 1e-14 * reach) if switch_points else np.empty(0)


def panels(function: Function, largest: float, kinks: Sequence[float] | np.ndarray = ()) -> np.ndarray:
    """Return edges, the kinks among them, between which polynomials carry the function to rounding.

    They span ``REACH`` standard deviations of size ``largest``; errors count by the density they meet there.

    Raises
    ------
    Unresolved
        If that takes more than some hundred panels.
    """
    reach = REACH * largest
    edges = np.unique([-reach, *(k for k in kinks if abs(k) < reach), reach])
    done: list[float] = [-reach]
    todo = list(itertools.pairwise(edges))[::-1]
    typical = np.max(np.abs(function(largest * _NODES)))
    while todo:
        low, high = todo.pop()
        values = function(0.5 * (low + high) + 0.5 * (high - low) * _NODES)
        error = np.max(np.abs(_TO_LEGENDRE[-3:] @ values))
        nearest = 0.0 if low < 0.0 < high else min(abs(low), abs(high))
        weighted_error = error * np.exp(-0.5 * (nearest / largest) ** 2)
        resolved = error <= 1e-13 * np.max(np.abs(values)) or weighted_error <= 1e-16 * typical
        if len(done) + len(todo) > _MOST_PANELS + 2 * min(len(edges), _MOST_KINKS):
            raise Unresolved
        if resolved or high - low < 1e-7 * reach:
            done.append(high)
        else:
            middle = 0.5 * (low + high)
            todo += [(middle, high), (low, middle)]
    return np.asarray(done)


class GaussianPair:
    """E[f(u) f(v)] for several functions f at once.

    Parameters
    ----------
    functions : sequence of callables
        Each takes and returns float64 arrays.
    kinks : array
        Where any of them, or a derivative, jumps.
    largest : float
        The largest standard deviation that will be asked for.
    """

    def __init__(self, functions: Sequence[Function], kinks: np.ndarray, largest: float) -> None:
        self._functions = tuple(functions)
        self._kinks = np.asarray(kinks, dtype=np.float64)
        largest = max(largest, 1e-150)
        edges = [panels(f, largest, self._kinks) for f in self._functions]
        self._edges = _distinct(np.concatenate([*edges, self._kinks]), 1e-14 * REACH * largest)
        self._trapezoids: dict[int, tuple[np.ndarray, np.ndarray] | None] = {}

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions, in the order of the means."""
        return self._functions

    @property
    def kinks(self) -> np.ndarray:
        """Where a function, or a derivative, jumps within reach."""
        return self._kinks

    @property
    def edges(self) -> np.ndarray:
        """Panels between which polynomials carry the functions, ascending, the kinks among them."""
        return self._edges

    @property
    def smooth(self) -> bool:
        """Whether no function, nor a derivative, jumps within reach."""
        return not len(self._kinks)

    def __call__(self, sigma_1: float, sigma_2: float, correlation: float) -> np.ndarray:
        """Return the means for one pair of standard deviations >= 0 and one correlation in [-1, 1].

        Returns
        -------
        array of shape (functions,)
        """
        width = np.sqrt((1.0 - correlation) * (1.0 + correlation))
        trapezoid = self._trapezoid(max(sigma_1, sigma_2)) if sigma_2 * width > 0.0 else None
        if trapezoid is not None:
            x, weight = trapezoid
            v = sigma_2 * (correlation * x[:, None] + width * x)
            return np.array([(weight * f(sigma_1 * x)) @ (f(v) @ weight) for f in self._functions])
        if min(sigma_1, sigma_2) > 0.0 and width > _NARROWEST:
            left, right = (Rule(self._edges / sigma, width) for sigma in (sigma_1, sigma_2))
            at_left = [f(sigma_1 * left.nodes)[None] for f in self._functions]
            at_right = [f(sigma_2 * right.nodes)[None] for f in self._functions]
            return banded_means(left, right, at_left, at_right, correlation)[:, 0, 0]
        x, weight = self._outer(sigma_1, sigma_2, correlation)
        if sigma_2 * width == 0.0:
            return np.array([weight @ (f(sigma_1 * x) * f(sigma_2 * correlation * x)) for f in self._functions])
        total = np.zeros(len(self._functions))
        for rows in np.array_split(np.arange(len(x)), max(1, len(x) // _ROWS)):
            v, v_weight = self._inner(correlation * x[rows, None], width, sigma_2)
            total += [weight[rows] @ (f(sigma_1 * x[rows]) * np.sum(v_weight * f(v), axis=1)) for f in self._functions]
        return total

    def _trapezoid(self, largest: float) -> tuple[np.ndarray, np.ndarray] | None:
        if not self.smooth:
            return None
        size = int(np.ceil(np.log(largest) / np.log(1.2)))
        if size not in self._trapezoids:
            self._trapezoids[size] = _trapezoid(self._functions, 1.2**size)
        return self._trapezoids[size]

    def _inner(self, center: np.ndarray, width: float, sigma: float) -> tuple[np.ndarray, np.ndarray]:
        kink_edges = np.clip((self._edges / sigma - center) / width, -REACH, REACH)
        regular = np.broadcast_to(_REGULAR, (len(center), len(_REGULAR)))
        edges = np.sort(np.concatenate([regular, kink_edges], axis=1), axis=1)
        # many of f's panels lie where none of these rows looks
        used = np.max(np.diff(edges, axis=1), axis=0) > 0.0
        y, weight = _composite(edges[:, np.concatenate([[True], used])])
        return sigma * (center + width * y), weight

    def _outer(self, sigma_1: float, sigma_2: float, correlation: float) -> tuple[np.ndarray, np.ndarray]:
        edges = [_REGULAR]
        if sigma_1 > 0:
            edges.append(self._edges / sigma_1)
        shared_deviation = sigma_2 * abs(correlation)  # of the part of v that x decides
        if shared_deviation * REACH > 1e-12 * np.max(np.abs(self._edges), initial=0.0):
            edges.append(self._edges / (sigma_2 * correlation))
            width = np.sqrt((1.0 - correlation) * (1.0 + correlation)) / abs(correlation)
            edges.append(((self._kinks / (sigma_2 * correlation))[:, None] + width * _OFFSETS).ravel())
        x, weight = _composite(_distinct(np.clip(np.concatenate(edges), -REACH, REACH), 1e-15)[None])
        return x[0], weight[0]


class Rule:
    """Nodes and weights on panels that resolve functions and a normal density of a given width.

    Parameters
    ----------
    edges : array
        Ascending edges, in standard deviations, of panels on which polynomials of degree 15 carry the functions.
    width : float
        Standard deviation of the density, at most 1.
    """

    def __init__(self, edges: np.ndarray, width: float) -> None:
        inside = np.unique(np.clip([-_BAND_REACH, *edges, _BAND_REACH], -_BAND_REACH, _BAND_REACH))
        parts = np.ceil(np.diff(inside) / (_LONGEST * width)).astype(int)
        pieces = [
            np.linspace(a, b, n, endpoint=False) for (a, b), n in zip(itertools.pairwise(inside), parts, strict=True)
        ]
        edges = np.concatenate([*pieces, inside[-1:]])
        half = 0.5 * np.diff(edges)
        self.nodes = ((edges[:-1] + half)[:, None] + half[:, None] * _NODES).ravel()
        self.weights = (half[:, None] * _WEIGHTS).ravel()
        self.normal_weights = self.weights * np.exp(-0.5 * self.nodes**2) / np.sqrt(2.0 * np.pi)


def banded_means(
    rows: Rule, columns: Rule, left: Sequence[np.ndarray], right: Sequence[np.ndarray], correlation: float
) -> np.ndarray:
    """Return E[f(x) g(y)] of x, y ~ N(0, 1) with |correlation| < 1, by a matrix of the density of y given x.

    Parameters
    ----------
    rows, columns : Rule
        Of the width sqrt(1 - correlation²).
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
        band = _BAND * width
        low, high = np.searchsorted(columns.nodes, [centers.min() - band, centers.max() + band])
        density = np.exp(-0.5 * ((columns.nodes[low:high] - centers[:, None]) / width) ** 2)
        for mean, (f, g) in zip(total, weighted, strict=True):
            mean += f[:, block] @ (density @ g[:, low:high].T)
    return total


def _trapezoid(functions: Sequence[Function], largest: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Nodes and weights under the normal density that resolve products of the functions; None if too many."""
    before = np.full(len(functions), np.nan)
    for intervals in _INTERVALS:
        x = np.linspace(-REACH, REACH, intervals + 1)
        weight = (x[1] - x[0]) * np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
        means = np.array([weight @ f(largest * x) ** 2 for f in functions])
        if np.all(np.abs(means - before) <= 1e-13 * np.abs(means)):
            return x, weight
        before = means
    return None


def _composite(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights, times the normal density, on the panels of each row of edges."""
    half = 0.5 * np.diff(edges, axis=-1)
    x = (edges[..., :-1] + half)[..., None] + half[..., None] * _NODES
    weight = half[..., None] * _WEIGHTS * np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    rows = edges.shape[:-1]
    return x.reshape(*rows, -1), weight.reshape(*rows, -1)


def _distinct(values: np.ndarray, apart: float) -> np.ndarray:
    """Sorted, without those that follow another one more closely than ``apart``."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], np.diff(ordered) > apart])] if len(ordered) else ordered
