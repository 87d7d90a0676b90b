r"""Duals by Hermite series: E[f(s1 x) f(s2 y)] = sum_k a_k(s1) a_k(s2) c^k.

a_k(s) = E[f(s x) He_k(x)]/sqrt(k!) for x, y ~ N(0, 1) of correlation c (Mehler's formula). One row of coefficients a
point replaces an integral a pair. By Parseval the remainder of a series, E[f²] - sum_{k<K} a_k², bounds the error of
every pair, whatever the correlation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from theory.kernels.quadrature import GaussianPair
from theory.kernels.rules import Function, Rule

_ORDERS = (256, 1024, 4096, 16384, 32768)
LONGEST_SERIES = _ORDERS[-1]  #: in orders
_LARGEST_REMAINDER = (
    1e-11  #: of E[f²] that may lie beyond the last order: kernels are then good to 1e-11 of their norms
)
_KINKED_ORDERS = 1024  #: of a series that is cut off
_TOGETHER = 16  #: standard deviations whose nodes are projected at once
_REACH = 13.0  #: standard deviations; the integrand carries exp(-x²/4) beside a bounded Hermite function
_BLOCK = 256  #: orders that are projected at once
_MOST_COEFFICIENTS = 2**25
_NEGLIGIBLE = 1e-17  #: of |c|^k, beside means of squares that are one
_MANY = 0.2  #: part of the pairs above which all are done at once


class HermiteSeries:
    """E[f(u) f(v)] for several smooth functions f and u, v of any of the given standard deviations.

    Use `hermite_series`, which finds the order that is needed.
    """

    def __init__(self, deviations: np.ndarray, coefficients: np.ndarray) -> None:
        self._deviations = deviations  #: distinct, ascending, shape (points,)
        self._coefficients = coefficients  #: shape (functions, orders, points)

    def __call__(self, sigma_1: np.ndarray, sigma_2: np.ndarray, correlation: np.ndarray) -> np.ndarray:
        """Return the means at deviations of shapes (n,) and (m,) and correlations (n, m): (functions, n, m)."""
        rows, columns = (np.searchsorted(self._deviations, sigma) for sigma in (sigma_1, sigma_2))
        result = np.empty((len(self._coefficients), *correlation.shape))
        needed = _needed_orders(correlation, self._coefficients.shape[1])
        for total, series in zip(result, self._coefficients, strict=True):
            left, right = (np.ascontiguousarray(series[:, points]) for points in (rows, columns))
            lowest = 0
            for order in sorted({*_ORDERS, len(series)}):
                i, j = np.nonzero((needed > lowest) & (needed <= order))
                if len(i) > _MANY * correlation.size:  # whole rows are added faster than single entries
                    whole = _horner(left[:order], right[:order], correlation)
                    total[i, j] = whole[i, j]
                elif len(i):
                    total[i, j] = _horner_of_pairs(left[:order], right[:order], i, j, correlation[i, j])
                lowest = order
        return result


def _needed_orders(correlation: np.ndarray, max_orders: int) -> np.ndarray:
    """Return after how many orders |c|^k is below rounding: a tenth of the pairs takes nearly all of the time."""
    with np.errstate(divide="ignore"):
        needed = np.log(_NEGLIGIBLE) / np.log(np.abs(correlation))
    return np.clip(np.where(np.abs(correlation) < 1.0, needed, max_orders), 1.0, max_orders)


def _horner(left: np.ndarray, right: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Return sum_k left[k, i] right[k, j] c[i, j]^k of all pairs."""
    total = np.zeros_like(correlation)
    for a, b in zip(left[::-1], right[::-1], strict=True):
        total *= correlation
        total += a[:, None] * b
    return total


def _horner_of_pairs(
    left: np.ndarray, right: np.ndarray, i: np.ndarray, j: np.ndarray, correlation: np.ndarray
) -> np.ndarray:
    """Return the same of the pairs (i, j) alone, with their correlations of shape (pairs,)."""
    total = np.zeros_like(correlation)
    for a, b in zip(left[::-1], right[::-1], strict=True):
        total *= correlation
        total += a[i] * b[j]
    return total


def hermite_series(
    functions: Sequence[Function], deviations: np.ndarray, most_orders: int = LONGEST_SERIES
) -> HermiteSeries | None:
    """Return the series for these standard deviations, or None if ``most_orders`` do not hold it.

    Parameters
    ----------
    functions : sequence of callables
        Each takes and returns float64 arrays.
    deviations : array of shape (points,)
        Standard deviations >= 0 that will be asked for.
    """
    distinct = np.unique(deviations)
    coefficients = np.empty((len(functions), 0, len(distinct)))
    pending = np.arange(len(distinct))  # a small deviation needs few orders, and has zeros beyond
    for order in _ORDERS:
        if order > most_orders or order * len(distinct) * len(functions) > _MOST_COEFFICIENTS:
            return None
        more = ((0, 0), (0, order - coefficients.shape[1]), (0, 0))
        coefficients = np.pad(coefficients, more)
        coefficients[:, :, pending], remainder = _project(functions, distinct[pending], order)
        pending = pending[np.any(remainder > _LARGEST_REMAINDER, axis=0)]
        if not len(pending):
            return HermiteSeries(distinct, coefficients)
    return None


def _project(functions: Sequence[Function], deviations: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients up to an order, and what share of E[f²] they leave out, shape (functions, points)."""
    # He_k and what the series can hold have wave numbers up to the root of k each: the trapezoidal rule sees both
    step = 2.0 / np.sqrt(order)
    x = step * np.arange(-np.ceil(_REACH / step), np.ceil(_REACH / step) + 1)
    half = np.exp(-0.25 * x**2)
    values = np.array([f(deviations[:, None] * x) for f in functions])
    weighted = (values * (half * step / np.sqrt(2.0 * np.pi))).reshape(-1, len(x))
    coefficients = np.empty((order, len(weighted)))
    polynomials = _hermite_functions(x)
    block = np.empty((_BLOCK, len(x)))
    for start in range(0, order, _BLOCK):
        for row, polynomial in zip(block, itertools.islice(polynomials, _BLOCK), strict=True):
            row[:] = polynomial
        coefficients[start : start + _BLOCK] = block @ weighted.T
    second_moments = (values**2 * half**2).sum(axis=-1) * step / np.sqrt(2.0 * np.pi)
    by_function = coefficients.reshape(order, len(functions), len(deviations)).transpose(1, 0, 2)
    remainder = second_moments - np.sum(by_function**2, axis=1)
    return by_function, remainder / np.where(second_moments > 0.0, second_moments, 1.0)


def _hermite_functions(x: np.ndarray) -> Iterator[np.ndarray]:
    """Yield He_k(x) exp(-x²/4)/sqrt(k!) for k = 0, 1, 2 and so on: bounded, where He_k overflows."""
    current, before = np.exp(-0.25 * x**2), np.zeros_like(x)
    for k in itertools.count():
        yield current
        current, before = (x * current - np.sqrt(k) * before) / np.sqrt(k + 1), current


class KinkedSeries:
    """E[f(u) f(v)] of functions with kinks: a Hermite series that is cut off, and integrals where |c|^k is not small.

    The coefficients fall as a power of the order alone, but what is cut off carries |c|^k as well: with 1,024 orders
    all pairs but those of |c| > 0.97 or so are good to 1e-11 of their norms.

    Parameters
    ----------
    integral : GaussianPair
        The functions, on panels that are split at the kinks.
    deviations : array of shape (points,)
        Standard deviations >= 0 that will be asked for.
    """

    def __init__(self, integral: GaussianPair, deviations: np.ndarray) -> None:
        self._integral = integral
        self._deviations = np.unique(deviations)
        groups = np.array_split(self._deviations, -(-len(self._deviations) // _TOGETHER))
        projected = [_project_on_panels(integral, group, _KINKED_ORDERS) for group in groups]
        coefficients, remainders = zip(*projected, strict=True)
        self._series = HermiteSeries(self._deviations, np.concatenate(coefficients, axis=-1))
        self._remainder = np.concatenate(remainders, axis=-1)  #: share of E[f²], shape (functions, points)

    def __call__(self, sigma_1: np.ndarray, sigma_2: np.ndarray, correlation: np.ndarray) -> np.ndarray:
        """Return the means at deviations of shapes (n,) and (m,) and correlations (n, m): (functions, n, m)."""
        means = self._series(sigma_1, sigma_2, correlation)
        left, right = (
            np.max(self._remainder[:, np.searchsorted(self._deviations, s)], axis=0) for s in (sigma_1, sigma_2)
        )
        cut_off = np.sqrt(left[:, None] * right) * np.abs(correlation) ** _KINKED_ORDERS
        first, second = np.nonzero(cut_off > _LARGEST_REMAINDER)
        pairs = np.stack([sigma_1[first], sigma_2[second], correlation[first, second]], axis=1)
        pairs[:, :2].sort(axis=1)  # either may be the first: a kernel of points among themselves has each twice
        distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
        integrals = np.array([self._integral(*map(float, pair)) for pair in distinct])
        if len(pairs):
            means[:, first, second] = integrals[inverse].T
        return means


def _project_on_panels(integral: GaussianPair, deviations: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients (functions, order, points) and the shares of E[f²] that they leave out (functions, points)."""
    # 16 nodes carry waves of phase ±8 on a panel to rounding, and He_k has wave numbers up to sqrt(k)
    rules = [Rule.throughout(integral.edges / max(sigma, 1e-150), 4.0 / np.sqrt(order)) for sigma in deviations]
    begins = np.cumsum([0, *(len(rule.nodes) for rule in rules)])[:-1]
    nodes = np.concatenate([rule.nodes for rule in rules])
    values = np.concatenate(
        [[f(s * rule.nodes) for f in integral.functions] for s, rule in zip(deviations, rules, strict=True)], 1
    )
    weights = np.concatenate([rule.weights for rule in rules])
    half = np.exp(-0.25 * nodes**2)
    weighted = values * half * weights / np.sqrt(2.0 * np.pi)
    coefficients = np.empty((len(values), order, len(deviations)))
    for k, polynomial in enumerate(itertools.islice(_hermite_functions(nodes), order)):
        coefficients[:, k] = np.add.reduceat(weighted * polynomial, begins, axis=1)
    second_moments = np.add.reduceat(
        values**2 * np.concatenate([rule.normal_weights for rule in rules]), begins, axis=1
    )
    remainder = np.maximum(second_moments - np.sum(coefficients**2, axis=1), 0.0)
    return coefficients, remainder / np.where(second_moments > 0.0, second_moments, 1.0)
