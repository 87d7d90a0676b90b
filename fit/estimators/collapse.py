r"""Data collapse: the nu for which curves y(x) of several sizes h fall on one curve in x·h^nu, and how well they do.

The quality S is that of Houdayer & Hartmann (`fit.estimators.collapse_quality`): near 1 for a collapse within errors.
The nu of the least S is the estimate; its error comes from drawing the clusters (seeds) of each size anew, since the
points of a cluster are correlated and the rule "S up by one" takes them for independent. Without clusters the points
themselves are drawn, with their errors, or with the scatter that S shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.collapse_curves import CollapseCurves
from fit.estimators.collapse_quality import Comparison, comparisons, qualities, redrawn_qualities
from fit.estimators.estimate import Estimate
from lazyrich.errors import InputError

#: values of nu at which S is computed, over the bounds and again around the minimum
GRID = 45
#: where nu is sought at first, and how far from zero as long as the least S lies at an end of what was searched
FIRST_BOUNDS = (-0.5, 2.5)
LARGEST_NU = 10.0


@dataclass(frozen=True)
class Collapse:
    """The best nu with its interval, the quality S there, and how many points it compares.

    Where no errors of y are known, ``quality`` is the mean square deviation from collapse in units of y (or log y).
    """

    nu: Estimate
    quality: float
    n_compared: int
    #: S at the values of nu in ``compare``
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
    bounds: tuple[float, float] | None = None,
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
    bounds : (float, float), optional
        The interval in which nu is sought; by default as far from zero as `LARGEST_NU`.
    compare : tuple of float
        Further values of nu at which the quality is given.
    replicas, seed : int
        Redraws of each size for the interval, and the random numbers' seed.

    Raises
    ------
    InputError
        For fewer than two sizes, values without a logarithm, sizes whose points overlap at no nu, or a best nu at an
        end of the bounds, or of where the points overlap: the least S lies beyond, and nothing is known of it.

    Examples
    --------
    >>> x, h = np.tile(np.geomspace(0.01, 100, 17), 3), np.repeat([1.0, 4.0, 16.0], 17)
    >>> round(collapse(x, h, 1 / (1 + x * h**0.5)).nu.value, 2)
    0.5
    """
    curves = CollapseCurves.from_arrays(x, size, y, cluster, y_error, scale, statistic)
    rng = np.random.default_rng(seed)

    coarse_grid, coarse = _searched(curves, bounds)
    low, high = float(coarse_grid[0]), float(coarse_grid[-1])
    coarse_quality = qualities(curves, coarse)
    if not np.isfinite(coarse_quality).any():
        raise InputError("x", "no overlap", "the sizes' curves share no range at any nu in bounds", "Measure more of x")
    if _is_at_an_end(coarse_quality):
        problem = "the best nu lies at an end of where the curves can be compared, and the least S beyond"
        raise InputError("bounds", (low, high), problem, "Give wider bounds, or measure more of x")
    middle = float(_minimum(coarse_grid, coarse_quality)[0])
    redraws = curves.redraws(rng, replicas, float(np.nanmin(coarse_quality)))
    redrawn = [_minimum(coarse_grid, redrawn_qualities(curves, coarse, redraw)) for redraw in redraws]
    coarse_error, _ = curves.error_of(np.stack(redrawn))

    step = coarse_grid[1] - coarse_grid[0]
    reach = float(np.clip(5 * coarse_error, step * (GRID - 1) / GRID, high - low))
    fine_grid = np.linspace(max(low, middle - reach), min(high, middle + reach), GRID)
    fine = comparisons(curves, fine_grid)
    value = float(_minimum(fine_grid, qualities(curves, fine))[0])
    redrawn = [_minimum(fine_grid, redrawn_qualities(curves, fine, redraw)) for redraw in redraws]
    error, dof = curves.error_of(np.stack(redrawn))

    final = comparisons(curves, np.array([value, *compare]))
    quality = qualities(curves, final)
    return Collapse(
        nu=Estimate(value, error, dof, n_points=int(curves.count), n_clusters=curves.clusters),
        quality=float(quality[0, 0]),
        n_compared=final[0].n_compared,
        quality_at=dict(zip(compare, quality[0, 1:].tolist(), strict=True)),
    )


def _searched(curves: CollapseCurves, bounds: tuple[float, float] | None) -> tuple[NDArray, list[Comparison]]:
    """Return the values of nu that are searched, ascending, with their comparisons."""
    grid = np.linspace(*(FIRST_BOUNDS if bounds is None else bounds), GRID)
    compared = comparisons(curves, grid)
    step = grid[1] - grid[0]
    # in the same steps: a minimum inside does not depend on how far the search would have gone
    while bounds is None:
        quality = qualities(curves, compared)[0]
        if not np.isfinite(quality).any():
            break
        best = int(np.nanargmin(quality))
        if best == 0 and grid[0] > -LARGEST_NU:
            more = grid[0] - step * np.arange(GRID, 0, -1)
            grid, compared = np.concatenate([more, grid]), comparisons(curves, more) + compared
        elif best == len(grid) - 1 and grid[-1] < LARGEST_NU:
            more = grid[-1] + step * np.arange(1, GRID + 1)
            grid, compared = np.concatenate([grid, more]), compared + comparisons(curves, more)
        else:
            break
    return grid, compared


def _is_at_an_end(quality: NDArray) -> bool:
    """Whether the least of ``quality`` (1, grid) has no neighbour with a quality on one side."""
    finite = np.flatnonzero(np.isfinite(quality[0]))
    return int(np.nanargmin(quality[0])) in (finite[0], finite[-1])


def _minimum(grid: NDArray, values: NDArray) -> NDArray:
    """Return where each row of ``values`` (r, grid) is least: the vertex of the parabola through its three points."""
    filled = np.where(np.isfinite(values), values, np.inf)
    lowest = np.argmin(filled, axis=1)
    inner = np.clip(lowest, 1, len(grid) - 2)
    rows = np.arange(len(values))
    below, middle, above = (filled[rows, inner + step] for step in (-1, 0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = 0.5 * (below - above) / (below - 2 * middle + above)
    shift = np.where((inner == lowest) & np.isfinite(shift), np.clip(shift, -1, 1), 0.0)
    return np.where((inner == lowest), grid[inner] + shift * (grid[1] - grid[0]), grid[lowest])
