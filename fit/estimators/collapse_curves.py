"""Curves of several sizes as a data collapse compares them: a level and an error at each abscissa, and redraws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lazyrich.errors import InputError


@dataclass(frozen=True)
class Redraws:
    """Replicas in which some points have other levels, the rest the same."""

    points: NDArray
    change: NDArray  #: of their levels, (replicas, points)


@dataclass(frozen=True)
class CollapseCurves:
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
    def from_arrays(
        cls,
        x: ArrayLike,
        size: ArrayLike,
        y: ArrayLike,
        cluster: ArrayLike | None,
        y_error: ArrayLike | None,
        scale: str,
        statistic: str,
    ) -> CollapseCurves:
        """Return the curves of plain arrays; see `fit.collapse`."""
        arrays = _checked(x, size, y, y_error, scale)
        linear = scale == "linear"
        sizes, size_index = np.unique(arrays["size"], return_inverse=True)
        if len(sizes) < 2:
            raise InputError("size", sizes.tolist(), "a collapse compares sizes", "Give two or more")
        abscissa = arrays["x"] if linear else np.log(arrays["x"])
        level = arrays["y"] if linear else np.log(arrays["y"])
        if cluster is None:
            error = None
            if y_error is not None:
                error = arrays["y_error"] if linear else arrays["y_error"] / arrays["y"]
            order = np.lexsort((abscissa, size_index))
            columns = (abscissa, np.log(arrays["size"]), size_index, level)
            a, h, i, v = (column[order] for column in columns)
            return cls(a, h, i, v, None if error is None else error[order], linear, [], False, len(a))
        labels = np.asarray(cluster)
        values: list[NDArray] = []
        columns_of_sizes = []
        for index, log_size in enumerate(np.log(sizes)):
            of_size = size_index == index
            points, column = np.unique(abscissa[of_size], return_inverse=True)
            names, row = np.unique(labels[of_size], return_inverse=True)
            table = np.full((len(names), len(points)), np.nan)
            table[row, column] = level[of_size]
            values.append(table)
            columns_of_sizes.append((points, np.full(len(points), log_size), np.full(len(points), index)))
        a, h, i = (np.concatenate(column) for column in zip(*columns_of_sizes, strict=True))
        rms = statistic == "rms"
        mean = np.concatenate([_average(table, rms, linear) for table in values])
        error = _smooth_errors([_error(table, rms, linear) for table in values], values, np.log(sizes))
        return cls(a, h, i, mean, error, linear, values, rms, len(level))

    @property
    def clusters(self) -> int:
        """How many independent units there are."""
        return sum(map(len, self.values)) if self.values else self.count

    @cached_property
    def members(self) -> list[tuple[NDArray, NDArray]]:
        """Indices of each size's points, ascending in the abscissa at any nu, and of all other points."""
        result = []
        for index in np.unique(self.size_index):
            of_size = np.flatnonzero(self.size_index == index)
            result.append((of_size[np.argsort(self.abscissa[of_size])], np.flatnonzero(self.size_index != index)))
        return result

    def redraws(self, rng: np.random.Generator, replicas: int, mean_square: float) -> list[Redraws]:
        """Return redraws of the clusters of one size after the other; without clusters, of all points.

        Points are redrawn by their errors; where none is known, ``mean_square`` is the square of that.
        """
        if not self.values:
            error = np.full(len(self.level), np.sqrt(mean_square)) if self.error is None else self.error
            return [Redraws(np.arange(len(self.level)), error * rng.standard_normal((replicas, len(self.level))))]
        result = []
        for index, table in enumerate(self.values):
            rows = rng.integers(len(table), size=(replicas, len(table)))
            levels = _average(table[rows].swapaxes(0, 1), self.rms, self.linear)
            points = np.flatnonzero(self.size_index == index)
            result.append(Redraws(points, np.where(np.isfinite(levels), levels - self.level[points], 0.0)))
        return result

    def error_of(self, redrawn: NDArray) -> tuple[float, float]:
        """Return the error of a number that came out as ``redrawn`` (sources, replicas), and its degrees of freedom.

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


def _checked(x: ArrayLike, size: ArrayLike, y: ArrayLike, y_error: ArrayLike | None, scale: str) -> dict[str, NDArray]:
    """Return the arrays by name; refuse an unknown scale, unequal lengths, and values without a logarithm."""
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
    return arrays


def _average(table: NDArray, rms: bool, linear: bool) -> NDArray:
    """Return the average over clusters (first axis), NaN left out."""
    present = np.isfinite(table)
    values = np.where(present, table, 0.0)
    if rms:
        values = np.where(present, values**2 if linear else np.exp(2 * values), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = values.sum(axis=0) / present.sum(axis=0)
        if rms:
            mean = np.sqrt(mean) if linear else 0.5 * np.log(mean)
    return mean


def _error(table: NDArray, rms: bool, linear: bool) -> NDArray:
    """Return the standard error of `_average` by the jackknife, which for a mean is the usual one."""
    present = np.isfinite(table)
    count = present.sum(axis=0)
    values = np.where(present, table, 0.0)
    if rms:
        values = np.where(present, values**2 if linear else np.exp(2 * values), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (values.sum(axis=0) - values) / (count - present)
        if rms:
            without = np.sqrt(without) if linear else 0.5 * np.log(without)
    centred = np.where(present, without - np.nanmean(without, axis=0), 0.0)
    return np.sqrt(np.maximum(count - 1, 1) / np.maximum(count, 1) * np.sum(centred**2, axis=0))


def _smooth_errors(errors: list[NDArray], values: list[NDArray], log_size: NDArray) -> NDArray:
    """Return one error for all points of a size, from a scatter that is a power of the size.

    From few clusters a point's own error, or a size's, is too noisy a weight: it is correlated with the level.
    """
    seeds = np.array([len(table) for table in values], dtype=float)
    scatter = np.array([np.sqrt(np.nanmean(error**2)) for error in errors]) * np.sqrt(seeds)
    if np.all(scatter > 0):
        slope, constant = np.polyfit(log_size, np.log(scatter), 1, w=np.sqrt(seeds))
        scatter = np.exp(constant + slope * log_size)
    return np.repeat(scatter / np.sqrt(seeds), [len(error) for error in errors])
