r"""Data collapse: the nu for which curves y(x) of several sizes h fall on one curve in x·h^nu, and how well they do.

The quality is that of Houdayer & Hartmann (Phys. Rev. B 70 (2004) 014418, appendix): each point (X, y) of one size is
compared with the straight line through the points of all other sizes that enclose X,

    S = mean over points of (y - Y)² / (dy² + dY²),

Y and dY the value of that weighted least-squares line and its error. Points that no other size encloses do not count. S
near 1 means a collapse within errors. The nu of the least S is the estimate; its error comes from drawing the clusters
(seeds) of each size anew, since the points of a cluster are correlated and the rule "S up by one" takes them for
independent. Without clusters the points themselves are drawn, with their errors, or with the scatter that S shows.

For given abscissas and errors y - Y is linear in y: one matrix for each nu serves all redraws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.estimate import Estimate
from lazyrich.errors import InputError

#: A nu at which fewer of the points than this are enclosed by others' compares too little.
MIN_OVERLAP = 0.5
GRID = 45


@dataclass(frozen=True)
class Collapse:
    """The best nu with its interval, the quality S there, and how many points it compares.

    Where no errors of y are known, ``quality`` is the mean square deviation from collapse in units of y (or log y).
    """

    nu: Estimate
    quality: float
    n_compared: int
    #: S at the nu's that were asked for
    quality_at: dict[float, float]


def collapse(
    x: ArrayLike,
    size: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    y_error: ArrayLike | None = None,
    scale: Literal["log", "linear"] = "log",
    statistic: Literal["mean", "rms"] = "mean",
    bounds: tuple[float, float] = (-0.5, 2.5),
    compare: tuple[float, ...] = (),
    replicas: int = 100,
    seed: int = 0,
) -> Collapse:
    """Find the nu for which y is one function of x·size**nu.

    Parameters
    ----------
    x, size, y : array_like of shape (n,)
    cluster : array_like of shape (n,), optional
        Which points belong together (for networks: the seed; the size is added to it). Points of equal x and size are
        averaged, and scatter about the average by their error.
    y_error : array_like of shape (n,), optional
        Standard errors of y, where there are no clusters.
    scale : {"log", "linear"}
        "log": x, y > 0, lines are drawn through logarithms. "linear": as they are (x a distance from a critical
        point, which may be negative).
    statistic : {"mean", "rms"}
        Of the clusters' y (of log y for "log"): what is averaged into a curve.
    bounds : (float, float)
        Where nu is looked for.
    compare : tuple of float
        Further nu's at which to say the quality.
    replicas, seed : int
        Redraws of each size for the interval, and the random numbers' seed.

    Raises
    ------
    InputError
        For fewer than two sizes, values without a logarithm, or sizes whose points overlap at no nu.

    Examples
    --------
    >>> x, h = np.tile(np.geomspace(0.01, 100, 17), 3), np.repeat([1.0, 4.0, 16.0], 17)
    >>> round(collapse(x, h, 1 / (1 + x * h**0.5)).nu.value, 2)
    0.5
    """
    curves = _Curves.of(x, size, y, cluster, y_error, scale, statistic)
    low, high = bounds
    rng = np.random.default_rng(seed)
    first = np.linspace(low, high, GRID)
    comparisons = curves.comparisons(first)
    coarse = curves.qualities(comparisons)
    if not np.isfinite(coarse).any():
        raise InputError("x", "no overlap", "the sizes' curves share no range at any nu in bounds", "Measure more of x")
    middle = float(_minimum(first, coarse)[0])
    redraws = curves.redraws(rng, replicas, float(np.nanmin(coarse)))
    spread = curves.error_of(np.stack([_minimum(first, curves.redrawn_qualities(comparisons, one)) for one in redraws]))
    reach = float(np.clip(5 * spread[0], (high - low) / GRID, high - low))
    fine = np.linspace(max(low, middle - reach), min(high, middle + reach), GRID)
    comparisons = curves.comparisons(fine)
    value = float(_minimum(fine, curves.qualities(comparisons))[0])
    best = np.stack([_minimum(fine, curves.redrawn_qualities(comparisons, one)) for one in redraws])
    error, dof = curves.error_of(best)
    last = curves.comparisons(np.array([value, *compare]))
    exact = curves.qualities(last)
    return Collapse(
        nu=Estimate(value, error, dof, n_points=int(curves.count), n_clusters=curves.clusters),
        quality=float(exact[0, 0]),
        n_compared=last[0][1],
        quality_at=dict(zip(compare, exact[0, 1:].tolist(), strict=True)),
    )


@dataclass(frozen=True)
class _Curves:
    """One point for each (size, x): its level and error, and the clusters' values behind it."""

    abscissa: NDArray  #: x, or log x, (p,)
    log_size: NDArray
    size_index: NDArray
    level: NDArray  #: y or log y, (p,)
    error: NDArray | None  #: (p,), None if unknown
    linear: bool
    values: list[NDArray]  #: for each size: (clusters, its points), NaN where missing; empty without clusters
    rms: bool
    count: int

    @classmethod
    def of(cls, x, size, y, cluster, y_error, scale, statistic) -> _Curves:
        columns = {"x": x, "size": size, "y": y} | ({} if y_error is None else {"y_error": y_error})
        arrays: dict[str, NDArray] = {name: np.asarray(value, dtype=float) for name, value in columns.items()}
        if scale not in ("log", "linear"):
            raise InputError("scale", scale, "there is no such scale", 'Give "log" or "linear"')
        for name, column in arrays.items():
            if column.ndim != 1 or column.shape != arrays["x"].shape:
                raise InputError(name, column.shape, "arrays are one-dimensional and of equal length", "Flatten them")
            positive = scale == "log" or name in ("size", "y_error")
            bad = column[~np.isfinite(column) | (positive & (column <= 0))]
            if bad.size:
                raise InputError(name, float(bad[0]), "it is not finite, or has no logarithm", "Leave such points out")
        linear = scale == "linear"
        sizes, size_index = np.unique(arrays["size"], return_inverse=True)
        if len(sizes) < 2:
            raise InputError("size", sizes.tolist(), "a collapse compares sizes", "Give two or more")
        abscissa = arrays["x"] if linear else np.log(arrays["x"])
        level = arrays["y"] if linear else np.log(arrays["y"])
        error = None
        if y_error is not None:
            error = arrays["y_error"] if linear else arrays["y_error"] / arrays["y"]
        if cluster is None:
            order = np.lexsort((abscissa, size_index))
            pick = (abscissa, np.log(arrays["size"]), size_index, level)
            a, h, i, v = (one[order] for one in pick)
            return cls(a, h, i, v, None if error is None else error[order], linear, [], False, len(a))
        labels = np.asarray(cluster)
        values: list[NDArray] = []
        parts = []
        for number in range(len(sizes)):
            here = size_index == number
            points, at = np.unique(abscissa[here], return_inverse=True)
            names, row = np.unique(labels[here], return_inverse=True)
            table = np.full((len(names), len(points)), np.nan)
            table[row, at] = level[here]
            values.append(table)
            parts.append((points, np.full(len(points), np.log(sizes[number])), np.full(len(points), number)))
        a, h, i = (np.concatenate(part) for part in zip(*parts, strict=True))
        rms = statistic == "rms"
        mean = np.concatenate([_average(table, rms, linear) for table in values])
        spread = _smooth_errors([_error(table, rms, linear) for table in values], values, np.log(sizes))
        return cls(a, h, i, mean, spread, linear, values, rms, len(level))

    @property
    def clusters(self) -> int:
        """Independent units."""
        return sum(map(len, self.values)) if self.values else self.count

    def redraws(self, rng: np.random.Generator, replicas: int, mean_square: float) -> list[_Redraws]:
        """The clusters of each size drawn anew, the others kept; without clusters, all points by their errors."""
        if not self.values:
            error = np.full(len(self.level), np.sqrt(mean_square)) if self.error is None else self.error
            return [_Redraws(np.arange(len(self.level)), error * rng.standard_normal((replicas, len(self.level))))]
        drawn = []
        for number, table in enumerate(self.values):
            rows = rng.integers(len(table), size=(replicas, len(table)))
            levels = _average(table[rows].swapaxes(0, 1), self.rms, self.linear)
            here = np.flatnonzero(self.size_index == number)
            drawn.append(_Redraws(here, np.where(np.isfinite(levels), levels - self.level[here], 0.0)))
        return drawn

    def error_of(self, redrawn: NDArray) -> tuple[float, float]:
        """Error of a number that came out as ``redrawn`` (sources, replicas), and its degrees of freedom.

        Sizes are independent, so their variances add; each is known as well as its clusters are many (Satterthwaite),
        and a draw with replacement from S clusters scatters by (S - 1)/S of the variance.
        """
        variance = np.nanvar(redrawn, axis=1, ddof=1)
        if not self.values:
            return float(np.sqrt(variance[0])), float(max(1, self.count - 2))
        freedom = np.array([max(1, len(table) - 1) for table in self.values], dtype=float)
        variance *= (freedom + 1) / freedom
        total, spread = float(variance.sum()), float(np.sum(variance**2 / freedom))
        return float(np.sqrt(total)), total**2 / spread if spread else float(freedom.sum())

    def comparisons(self, nus: NDArray) -> list[tuple[NDArray, int]]:
        """What `qualities` needs for each nu, whatever the levels."""
        return [self._comparison(float(nu)) for nu in nus]

    def qualities(self, comparisons: list[tuple[NDArray, int]]) -> NDArray:
        """S for every nu, shape (1, nu); NaN where too few points are compared."""
        quality = np.full((1, len(comparisons)), np.nan)
        for j, (deviation, used) in enumerate(comparisons):
            if used >= MIN_OVERLAP * len(self.level):
                quality[0, j] = np.sum((deviation @ self.level) ** 2) / used
        return quality

    def redrawn_qualities(self, comparisons: list[tuple[NDArray, int]], redraws: _Redraws) -> NDArray:
        """S for every redraw (r) and every nu, shape (r, nu): a quadratic form in the levels that were drawn anew."""
        change = redraws.change
        quality = np.full((len(change), len(comparisons)), np.nan)
        for j, (deviation, used) in enumerate(comparisons):
            if used >= MIN_OVERLAP * len(self.level):
                kept, moved = deviation @ self.level, deviation[:, redraws.points]
                twice = 2 * moved.T @ kept + change @ (moved.T @ moved)
                quality[:, j] = (kept @ kept + np.sum(change * twice, axis=1)) / used
        return quality

    @cached_property
    def _members(self) -> list[tuple[NDArray, NDArray]]:
        """Of each size its points, ascending (at any nu), and all other points."""
        found = []
        for number in np.unique(self.size_index):
            own = np.flatnonzero(self.size_index == number)
            found.append((own[np.argsort(self.abscissa[own])], np.flatnonzero(self.size_index != number)))
        return found

    def _comparison(self, nu: float) -> tuple[NDArray, int]:
        """The matrix that turns levels into (y - Y)/sqrt(dy² + dY²), one row a point that others enclose."""
        shift = nu * self.log_size
        position = self.abscissa * np.exp(shift) if self.linear else self.abscissa + shift
        count, error = len(position), self.error
        variance = np.ones(count) if error is None else np.maximum(error, 1e-12) ** 2
        # of each point its two neighbours of each other size, where these enclose it; elsewhere itself, without weight
        neighbour = np.repeat(np.arange(count)[:, None], 2 * len(self._members), axis=1)
        enclosed = np.zeros(neighbour.shape, dtype=bool)
        for number, (members, others) in enumerate(self._members):
            right = np.searchsorted(position[members], position[others], side="right")
            inside = (right > 0) & (right < len(members))
            rows, right = others[inside], right[inside]
            neighbour[rows, 2 * number], neighbour[rows, 2 * number + 1] = members[right - 1], members[right]
            enclosed[rows, 2 * number : 2 * number + 2] = True
        weight = np.where(enclosed, 1 / variance[neighbour], 0.0)
        x = position[neighbour] - position[:, None]  # from the point itself: Y is the line's intercept
        k0, k1, k2 = weight.sum(1), (weight * x).sum(1), (weight * x**2).sum(1)
        determinant = k0 * k2 - k1**2
        used = np.flatnonzero(determinant > 1e-12 * k0 * k2)
        line = weight[used] * (k2[used, None] - k1[used, None] * x[used]) / determinant[used, None]
        total = variance[used] + (0.0 if error is None else 1.0) * k2[used] / determinant[used]
        deviation = np.zeros((len(used), count))
        rows = np.arange(len(used))
        deviation[rows, used] = 1.0
        deviation[rows[:, None], neighbour[used]] -= line
        return deviation / np.sqrt(total)[:, None], len(used)


@dataclass(frozen=True)
class _Redraws:
    """Replicas in which some points have other levels, the rest the same."""

    points: NDArray
    change: NDArray  #: of their levels, (replicas, points)


def _average(table: NDArray, rms: bool, linear: bool) -> NDArray:
    """Average over clusters (first axis), NaN left out."""
    here = np.isfinite(table)
    values = np.where(here, table, 0.0)
    if rms:
        values = np.where(here, values**2 if linear else np.exp(2 * values), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = values.sum(axis=0) / here.sum(axis=0)
        if rms:
            mean = np.sqrt(mean) if linear else 0.5 * np.log(mean)
    return mean


def _error(table: NDArray, rms: bool, linear: bool) -> NDArray:
    """Standard error of `_average`: by the jackknife, which for a mean is the usual one."""
    here = np.isfinite(table)
    count = here.sum(axis=0)
    values = np.where(here, table, 0.0)
    if rms:
        values = np.where(here, values**2 if linear else np.exp(2 * values), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (values.sum(axis=0) - values) / (count - here)
        if rms:
            without = np.sqrt(without) if linear else 0.5 * np.log(without)
    centred = np.where(np.isfinite(table), without - np.nanmean(without, axis=0), 0.0)
    return np.sqrt(np.maximum(count - 1, 1) / np.maximum(count, 1) * np.sum(centred**2, axis=0))


def _smooth_errors(errors: list[NDArray], values: list[NDArray], log_size: NDArray) -> NDArray:
    """One error for all points of a size, from a scatter that is a power of the size.

    From few clusters a point's own error, or a size's, is too noisy a weight: it goes with the level it belongs to.
    """
    seeds = np.array([len(table) for table in values], dtype=float)
    scatter = np.array([np.sqrt(np.nanmean(error**2)) for error in errors]) * np.sqrt(seeds)
    if np.all(scatter > 0):
        slope, constant = np.polyfit(log_size, np.log(scatter), 1, w=np.sqrt(seeds))
        scatter = np.exp(constant + slope * log_size)
    return np.repeat(scatter / np.sqrt(seeds), [len(error) for error in errors])


def _minimum(grid: NDArray, values: NDArray) -> NDArray:
    """Where each row of ``values`` (r, grid) is least: the vertex of the parabola through it and its neighbours."""
    filled = np.where(np.isfinite(values), values, np.inf)
    at = np.argmin(filled, axis=1)
    inner = np.clip(at, 1, len(grid) - 2)
    rows = np.arange(len(values))
    left, middle, right = (filled[rows, inner + step] for step in (-1, 0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = 0.5 * (left - right) / (left - 2 * middle + right)
    shift = np.where((inner == at) & np.isfinite(shift), np.clip(shift, -1, 1), 0.0)
    return np.where((inner == at), grid[inner] + shift * (grid[1] - grid[0]), grid[at])
