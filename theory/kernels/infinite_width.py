r"""Kernels of networks of infinite width: NNGP and NTK, layer by layer (Jacot et al., arXiv:1806.07572).

In the article's scaling (arXiv:1906.08034; all weights N(0, 1), no biases),

    Sigma_1 = x·x'/d,  Sigma_{l+1} = E[phi(u) phi(v)],  (u, v) ~ N(0, Sigma_l),
    Theta_1 = Sigma_1, Theta_{l+1} = Sigma_{l+1} + Theta_l E[phi'(u) phi'(v)],

and a network of ``depth`` hidden layers has the NNGP kernel Sigma_{L+1} and the NTK Theta_{L+1}, without the factor
alpha². The means are in closed form where there is one (`theory.kernels.dual`), else integrated
(`theory.kernels.quadrature`).
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable
from typing import Protocol

import numpy as np

from lazyrich.errors import InputError
from theory.activation import Activation
from theory.black_box import is_function_name
from theory.kernels.dual import closed_dual
from theory.kernels.dual_table import DualTable, tabulate
from theory.kernels.hermite import LONGEST_SERIES, KinkedSeries, hermite_series
from theory.kernels.norm_table import NormTable, tabulate_norms
from theory.kernels.quadrature import GaussianPair, Unresolved, kinks

#: a tile of the kernels of (n, m) norms and correlations -> E[phi phi] and E[phi' phi'], each (n, m)
Tile = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_TILE = 128  #: rows and columns that go through all layers at once, so that they stay in the processor's cache
_SHORT_SERIES = 4096  #: orders of a Hermite series up to which it is faster than a table
_PAYS_A_TABLE = 200  #: entries from which a table of norms and angles is faster than an integral each
_PAYS_A_SERIES = 8  #: entries a norm from which a series of kinked functions is faster than an integral each
_ROUNDING = 16 * np.finfo(np.float64).eps  #: correlations this close to ±1 are ±1: rounding can't tell them apart


class Dual(Protocol):
    """E[phi(u)phi(v)] and E[phi'(u)phi'(v)] of one activation, somehow."""

    def spread(self, sigma: np.ndarray) -> np.ndarray:
        """Return sqrt(E[phi(u)²]) for u of each standard deviation."""

    def between(self, sigma_1: np.ndarray, sigma_2: np.ndarray, entries: int) -> Tile:
        """Return what computes tiles of a matrix with these norms, of which ``entries`` will be asked for."""


class ClosedDual:
    """The dual by its formula."""

    def __init__(self, activation: Activation, sigma: Callable, sigma_dot: Callable) -> None:
        self._scale = activation.normalisation**2
        self._sigma, self._sigma_dot = sigma, sigma_dot

    def spread(self, sigma: np.ndarray) -> np.ndarray:
        """Return sqrt(E[phi(u)²]) for u of each standard deviation."""
        # rounding may leave a vanishing mean of squares below zero
        return np.sqrt(np.maximum(self._scale * self._sigma(sigma, sigma, 1.0), 0.0))

    def between(self, sigma_1: np.ndarray, sigma_2: np.ndarray, entries: int) -> Tile:
        """Return what computes tiles of a matrix with these norms."""
        single = _single(sigma_1, sigma_2)

        def tile(rows: np.ndarray, columns: np.ndarray, correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            arguments = (rows[:, None], columns, correlation) if single is None else (single, single, correlation)
            return self._scale * self._sigma(*arguments), self._scale * self._sigma_dot(*arguments)

        return tile


def _tile_of(compute: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Tile:
    def tile(rows: np.ndarray, columns: np.ndarray, correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sigma, sigma_dot = compute(rows, columns, correlation)
        return sigma, sigma_dot

    return tile


class IntegratedDual:
    """The dual by quadrature: from a Hermite series of each norm, a table in the angle, or entry by entry."""

    def __init__(self, activation: Activation) -> None:
        self._activation = activation
        self._integrals: dict[float, GaussianPair] = {}
        self._tables: dict[float, DualTable | None] = {}

    def spread(self, sigma: np.ndarray) -> np.ndarray:
        """Return sqrt(E[phi(u)²]) for u of each standard deviation."""
        return self._root_moments(sigma)[0]

    def between(self, sigma_1: np.ndarray, sigma_2: np.ndarray, entries: int) -> Tile:
        """Return what computes tiles of a matrix with these norms, of which ``entries`` will be asked for."""
        deviations = np.concatenate([sigma_1, sigma_2])
        integral = self._integral(float(np.max(deviations)))
        positive = deviations[deviations > 0.0]
        if not len(positive):
            return self._one_by_one(integral)
        single = _single(positive, positive)
        if single is not None:
            # layers of a normalised activation on the sphere share one table
            single = float(f"{single:.12g}")
            if single not in self._tables:
                self._tables[single] = tabulate(integral, single, budget=entries)
            table = self._tables[single]
            return self._one_by_one(integral) if table is None else self._from_table(table, integral, positive)
        return self._of_many_norms(integral, deviations, positive, entries)

    def _of_many_norms(
        self, integral: GaussianPair, deviations: np.ndarray, positive: np.ndarray, entries: int
    ) -> Tile:
        """Choose the way that is fastest: a short Hermite series, a table, a long series, integrals."""
        functions = (self._activation, self._activation.slope)
        table_pays = not np.any(integral.kinks) and entries > _PAYS_A_TABLE
        series = None
        if integral.smooth:
            series = hermite_series(functions, deviations, most_orders=_SHORT_SERIES if table_pays else LONGEST_SERIES)
        if series is None and table_pays:
            low, high = float(np.min(positive)), float(np.max(positive))
            table = tabulate_norms(functions, integral.edges / high, low, high)
            if table is not None:
                return self._from_table(table, integral, positive)
            series = hermite_series(functions, deviations) if integral.smooth else None
        if series is not None:
            return _tile_of(series)
        pays = not integral.smooth and entries > _PAYS_A_SERIES * len(np.unique(deviations))
        return _tile_of(KinkedSeries(integral, deviations)) if pays else self._one_by_one(integral)

    @staticmethod
    def _one_by_one(integral: GaussianPair) -> Tile:
        def compute(rows: np.ndarray, columns: np.ndarray, correlation: np.ndarray) -> np.ndarray:
            means = np.empty((2, len(rows), len(columns)))
            for i, j in np.ndindex(len(rows), len(columns)):
                means[:, i, j] = integral(float(rows[i]), float(columns[j]), float(correlation[i, j]))
            return means

        return _tile_of(compute)

    def _from_table(self, table: DualTable | NormTable, integral: GaussianPair, positive: np.ndarray) -> Tile:
        """The table, times the roots of the second moments; points of norm zero are integrated."""
        low = np.min(positive)
        one_by_one = self._one_by_one(integral)

        def compute(rows: np.ndarray, columns: np.ndarray, correlation: np.ndarray) -> np.ndarray:
            means = table(np.maximum(rows, low), np.maximum(columns, low), correlation)
            means *= self._root_moments(rows)[:, :, None] * self._root_moments(columns)[:, None, :]
            for i in np.flatnonzero(rows == 0.0):
                means[:, i : i + 1] = one_by_one(rows[i : i + 1], columns, correlation[i : i + 1])
            for j in np.flatnonzero(columns == 0.0):
                means[:, :, j : j + 1] = one_by_one(rows, columns[j : j + 1], correlation[:, j : j + 1])
            return means

        return _tile_of(compute)

    def _root_moments(self, sigma: np.ndarray) -> np.ndarray:
        """The roots of E[phi(u)²] and E[phi'(u)²], shape (2, len(sigma))."""
        distinct, inverse = np.unique(sigma, return_inverse=True)
        return np.array([self._root_moments_of_one(float(s)) for s in distinct]).T[:, inverse]

    @functools.lru_cache(maxsize=100_000)  # noqa: B019 -- lives as long as one call of infinite_width_kernels
    def _root_moments_of_one(self, sigma: float) -> np.ndarray:
        return np.sqrt(self._integral(sigma)(sigma, sigma, 1.0))

    def _integral(self, largest: float) -> GaussianPair:
        # one integral serves all norms of up to twice a power of four
        reach = 4.0 ** np.ceil(np.log(largest) / np.log(4.0)) if largest > 0.0 else 0.0
        if reach not in self._integrals:
            phi = self._activation
            jumps = kinks(phi.expression + phi.derivative, max(12.0 * reach, 1e-150))
            if is_function_name(phi.formula):  # whose branches can't be read off
                jumps = np.array([k for k in phi.kinks if abs(k) <= max(12.0 * reach, 1e-150)])
            try:
                self._integrals[reach] = GaussianPair((phi, phi.slope), jumps, reach)
            except Unresolved:
                problem = "it varies too quickly for its kernels to be integrated"
                raise InputError("activation", phi.name, problem, "Choose a smoother activation") from None
        return self._integrals[reach]


def infinite_width_kernels(
    activation: Activation | str, depth: int, x1: np.ndarray, x2: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the NNGP and the NTK of a fully connected network of infinite width at initialisation.

    Parameters
    ----------
    activation : Activation or str
        With its normalisation, if it is normalised; a string is made into an Activation.
    depth : int
        Hidden layers L; there are L + 1 weight matrices.
    x1 : array of shape (n, d)
        Inputs; the published runs have |x|² = d.
    x2 : array of shape (m, d), optional
        Further inputs; x1 if not given.

    Returns
    -------
    nngp, ntk : float64 arrays of shape (n, m)
        Sigma_{L+1} and Theta_{L+1} of arXiv:1806.07572 in the scaling of arXiv:1906.08034, without alpha². The dynamics
        in the article's time are dF/dt = -(1/N) sum ntk·l'·y.

    Raises
    ------
    InputError
        If the depth is below 1, the inputs aren't finite matrices with the same d, or a kernel overflows.

    Notes
    -----
    Closed forms (ReLU family, rectified and plain polynomials, erf, GELU, sine, cosine, Gaussians, and their sums and
    products) are exact to rounding. The others are integrated to 1e-9 or better, kinks included. Inputs of one norm
    take a table in the angle. Those of many norms take a Hermite series for each if the activation is smooth, a table
    in angle and norms if its only kink is at zero, and else a series that is cut off, with integrals of a
    millisecond for pairs of |c| > 0.97. A kernel that can't be integrated so is refused.

    Near c = ±1 the correlation's own rounding limits the derivative of a kink: two inputs at an angle below 1e-7 are
    taken for the same, which moves E[phi'phi'] by up to 2e-8.

    Examples
    --------
    >>> x = np.sqrt(2) * np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> nngp, ntk = infinite_width_kernels("relu", 1, x)
    >>> ntk.round(6)
    array([[2.     , 0.31831],
           [0.31831, 2.     ]])
    """
    if isinstance(activation, str):
        activation = Activation(activation)
    if not isinstance(activation, Activation):
        raise InputError("activation", activation, "isn't an activation", "Give a name, a formula or an Activation")
    if not isinstance(depth, numbers.Integral) or isinstance(depth, bool) or depth < 1:
        raise InputError("depth", depth, "a network needs a whole number of hidden layers", "Give a depth of 1 or more")
    first = _inputs("x1", x1)
    second = first if x2 is None else _inputs("x2", x2)
    if first.shape[1] != second.shape[1]:
        raise InputError(
            "x2", second.shape, f"its points don't have the {first.shape[1]} components of x1's", "Give the same d"
        )
    dual = dual_of(activation)
    with np.errstate(over="ignore", invalid="ignore"):
        kernels = _recursion(dual, int(depth), first, second, symmetric=x2 is None)
    if not all(np.all(np.isfinite(kernel)) for kernel in kernels):
        raise InputError("depth", depth, "a kernel overflows float64", "Take fewer layers or smaller inputs")
    return kernels


def dual_of(activation: Activation) -> Dual:
    """Choose the way to an activation's dual: its closed form if it has one, else quadrature."""
    sigma, sigma_dot = closed_dual(activation.expression), closed_dual(activation.derivative)
    if sigma is None or sigma_dot is None:
        return IntegratedDual(activation)
    return ClosedDual(activation, sigma, sigma_dot)


def _inputs(field: str, inputs: np.ndarray) -> np.ndarray:
    try:
        points = np.asarray(inputs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(field, type(inputs).__name__, "isn't an array of numbers", "Give shape (n, d)") from error
    if points.ndim != 2 or 0 in points.shape:
        raise InputError(field, points.shape, "isn't the shape of a matrix of inputs", "Give shape (n, d)")
    if not np.all(np.isfinite(points)):
        raise InputError(field, points.shape, "has values that aren't finite", "Remove NaN and infinity")
    if np.max(np.abs(points)) > 1e100:
        raise InputError(field, float(np.max(np.abs(points))), "is too large to be squared", "Scale the inputs")
    return points


def _single(sigma_1: np.ndarray, sigma_2: np.ndarray) -> float | None:
    """The common norm, if there is one up to rounding."""
    low = min(np.min(sigma_1), np.min(sigma_2))
    high = max(np.max(sigma_1), np.max(sigma_2))
    return float(high) if high - low <= 1e-13 * high else None


def _recursion(
    dual: Dual, depth: int, first: np.ndarray, second: np.ndarray, symmetric: bool
) -> tuple[np.ndarray, np.ndarray]:
    n, m = len(first), len(second)
    entries = n * (n + 1) // 2 if symmetric else n * m
    rows = [np.linalg.norm(first, axis=1) / np.sqrt(first.shape[1])]
    columns = [np.linalg.norm(second, axis=1) / np.sqrt(second.shape[1])]
    layers = []
    for _ in range(depth):
        layers.append(dual.between(rows[-1], columns[-1], entries))
        rows.append(dual.spread(rows[-1]))
        columns.append(dual.spread(columns[-1]))
        if not (np.all(np.isfinite(rows[-1])) and np.all(np.isfinite(columns[-1]))):
            return np.full((n, m), np.inf), np.full((n, m), np.inf)
    covariance = first @ second.T / first.shape[1]
    nngp, ntk = np.empty((n, m)), np.empty((n, m))
    for top in range(0, n, _TILE):
        for left in range(top if symmetric else 0, m, _TILE):
            tile_index = slice(top, top + _TILE), slice(left, left + _TILE)
            sigma = theta = covariance[tile_index]
            for layer, row, column in zip(layers, rows, columns, strict=False):
                correlation = _correlation(sigma, row[tile_index[0]], column[tile_index[1]])
                if symmetric and top == left:
                    np.fill_diagonal(correlation, 1.0)
                sigma, sigma_dot = layer(row[tile_index[0]], column[tile_index[1]], correlation)
                theta = sigma + theta * sigma_dot
            nngp[tile_index], ntk[tile_index] = sigma, theta
            if symmetric and top == left:  # rounding differs between the two triangles
                nngp[tile_index], ntk[tile_index] = (np.triu(k) + np.triu(k, 1).T for k in (sigma, theta))
            elif symmetric:
                nngp[tile_index[::-1]], ntk[tile_index[::-1]] = sigma.T, theta.T
    return nngp, ntk


def _correlation(covariance: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    scale = row[:, None] * column
    correlation = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0.0)
    correlation[correlation > 1.0 - _ROUNDING] = 1.0
    correlation[correlation < -1.0 + _ROUNDING] = -1.0
    return correlation
