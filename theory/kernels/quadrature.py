"""E[f(u) f(v)] over two correlated Gaussians for any f of one variable, kinks included.

With u = s1 x and v = s2 y, x and y of unit variance and correlation c, y is c x plus noise of the width sqrt(1 - c²).
Panels between which polynomials of degree 15 carry f to rounding are found by halving, so a sharp bend that isn't a
kink costs panels and not accuracy.

Averaged over the noise, f is rounded off where v meets a kink, or a panel that is short beside the width. Around these
places x takes panels of a few widths, and the density of y given x is a matrix between its nodes and those of y.
Elsewhere f is smooth on the scale of the width, and a few nodes of Gauss and Hermite average it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from theory import functions
from theory.evaluation import numpy_value
from theory.kernels.rules import BAND, LONGEST, NODES, REACH, Function, Rule, banded_means, trapezoid

_TO_LEGENDRE = np.linalg.inv(np.polynomial.legendre.legvander(NODES, 15))
_REGULAR = np.linspace(-REACH, REACH, 9)  #: edges of panels that stand whatever the function
_ENDS = _REGULAR[[0, -1]]
_MOST_PANELS = 200  #: beside those that begin and end at kinks
_MOST_KINKS = 1000
#: panels this many widths of the density long -> nodes of Gauss and Hermite's rule, n, that average a function there to
#: rounding: the function's nearest singularity is farther away than a panel is long, and n! (width/panel)^(2n) < 1e-16
_HERMITE_ORDERS = {12.0: 12, 20.0: 8, 40.0: 6, 150.0: 4, 700.0: 3}
_SMOOTH = min(_HERMITE_ORDERS)


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
    typical = np.max(np.abs(function(largest * NODES)))
    while todo:
        low, high = todo.pop()
        values = function(0.5 * (low + high) + 0.5 * (high - low) * NODES)
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
        rounding = 1e-14 * REACH * largest
        self._edges = _distinct(np.concatenate([*edges, self._kinks]), rounding)
        # another edge may stand for a kink
        self._at_kinks = _within(_union(self._kinks, 2.0 * rounding), self._edges)
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
        smooth_rule = self._trapezoid(max(sigma_1, sigma_2)) if sigma_2 * width > 0.0 else None
        if smooth_rule is not None:
            x, weight = smooth_rule
            v = sigma_2 * (correlation * x[:, None] + width * x)
            return np.array([(weight * f(sigma_1 * x)) @ (f(v) @ weight) for f in self._functions])
        if min(sigma_1, sigma_2) == 0.0:
            return self._on_a_line(sigma_1, sigma_2)
        if width == 0.0:
            return self._on_a_line(sigma_1, sigma_2 * correlation)
        return self._around_a_line(sigma_1, sigma_2, correlation, width)

    def _on_a_line(self, sigma_1: float, sigma_2: float) -> np.ndarray:
        """E[f(sigma_1 x) f(sigma_2 x)]: what is left where u decides v, or one of them is 0."""
        edges = [self._edges / sigma for sigma in (sigma_1, sigma_2) if sigma != 0.0]
        rule = Rule(*_panels_between(_REGULAR, *edges))
        products = [f(sigma_1 * rule.nodes) * f(sigma_2 * rule.nodes) for f in self._functions]
        return np.array([rule.normal_weights @ product for product in products])

    def _around_a_line(self, sigma_1: float, sigma_2: float, correlation: float, width: float) -> np.ndarray:
        """The mean over x of f(u) times the mean of f(v) over y given x."""
        edges_x, edges_y = self._edges / sigma_1, self._edges / sigma_2
        panels_in_widths = np.diff(edges_y) / width
        short = panels_in_widths < _SMOOTH
        sharp = edges_y[self._at_kinks | np.append(short, False) | np.append(False, short)]
        sharp = sharp[np.abs(sharp) < REACH * abs(correlation) + BAND * width]
        zones = _union(sharp, BAND * width)
        with np.errstate(over="ignore"):  # y may hardly depend on x
            borders, edges_of_means = (zones / correlation, edges_y / correlation) if correlation else ((), ())
        low, high = _panels_between(_REGULAR, edges_x, edges_of_means, borders)
        rounded = _within(zones, 0.5 * correlation * (low + high))
        smooth_rows = Rule(low[~rounded], high[~rounded])
        noise, noise_weights = _noise(np.min(panels_in_widths[~short], initial=np.inf))
        y = correlation * smooth_rows.nodes[:, None] + width * noise
        low, high = _panels_between(_ENDS, edges_x, borders)
        rounded = _within(zones, 0.5 * correlation * (low + high))
        rows = Rule(low[rounded], high[rounded], LONGEST * width)
        zones_y = _union(sharp, 2.0 * BAND * width)
        low, high = _panels_between(_ENDS, edges_y, zones_y)
        seen = _within(zones_y, 0.5 * (low + high))
        columns = Rule(low[seen], high[seen], LONGEST * width)
        # a call of a function takes longer than some hundred of its values
        arguments = (sigma_1 * smooth_rows.nodes, sigma_2 * y.ravel(), sigma_1 * rows.nodes, sigma_2 * columns.nodes)
        splits = np.cumsum([len(part) for part in arguments])[:-1]
        values = [np.split(f(np.concatenate(arguments)), splits) for f in self._functions]
        smooth_means = [(smooth_rows.normal_weights * u) @ (v.reshape(y.shape) @ noise_weights) for u, v, *_ in values]
        left, right = [u[None] for *_, u, _ in values], [v[None] for *_, v in values]
        return smooth_means + banded_means(rows, columns, left, right, correlation)[:, 0, 0]

    def _trapezoid(self, largest: float) -> tuple[np.ndarray, np.ndarray] | None:
        if not self.smooth:
            return None
        size = int(np.ceil(np.log(largest) / np.log(1.2)))
        if size not in self._trapezoids:
            self._trapezoids[size] = trapezoid(self._functions, 1.2**size)
        return self._trapezoids[size]


def _noise(shortest: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a normal density, enough for panels of this many of its widths."""
    order = next(order for length, order in reversed(_HERMITE_ORDERS.items()) if shortest >= length)
    return _hermite_rule(order)


@functools.cache
def _hermite_rule(order: int) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    return nodes, weights / np.sqrt(2.0 * np.pi)


def _union(places: np.ndarray, reach: float) -> np.ndarray:
    """Return where the union of the intervals of this reach around ascending places begins and ends, by turns."""
    if not len(places):
        return np.empty(0)
    apart = np.flatnonzero(np.diff(places) > 2.0 * reach)
    begins = places[np.concatenate([[0], apart + 1])] - reach
    ends = places[np.concatenate([apart, [len(places) - 1]])] + reach
    return np.stack([begins, ends], axis=1).ravel()


def _within(borders: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether points lie in intervals that begin and end at these borders by turns."""
    return np.searchsorted(borders, points) % 2 == 1


def _panels_between(*edges: np.ndarray | Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return where the panels between all these edges begin and end, inside of ``REACH``."""
    distinct = _distinct(np.clip(np.concatenate(edges), -REACH, REACH), 1e-15)
    return distinct[:-1], distinct[1:]


def _distinct(values: np.ndarray, apart: float) -> np.ndarray:
    """Sorted, without those that follow another one more closely than ``apart``."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], np.diff(ordered) > apart])] if len(ordered) else ordered
