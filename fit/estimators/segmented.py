"""Two powers that meet at a breakpoint: log y = c + p1 v for v < 0, c + p2 v for v > 0, v = log x - u*."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.least_squares import Data, ModelFit, fitted_law
from lazyrich.errors import InputError

#: Points that each side of a breakpoint keeps.
MIN_SIDE = 2


def segmented(
    x: ArrayLike, y: ArrayLike, cluster: ArrayLike | None = None, *, y_error: ArrayLike | None = None
) -> ModelFit:
    """Fit two powers that meet at a breakpoint, which is estimated with them.

    The least squares are profiled over the breakpoint (they are piecewise quadratic in it, with a local minimum between
    any two abscissas), so that the global minimum is found.

    Returns
    -------
    ModelFit
        low_exponent, high_exponent, log_breakpoint (natural logarithm), log_level (log y there).

    Raises
    ------
    InputError
        If a breakpoint leaves fewer than two distinct abscissas on each side.

    Examples
    --------
    >>> x = np.geomspace(1, 100, 11)
    >>> fitted = segmented(x, np.where(x < 10, x**2, 10 * x))
    >>> [round(fitted[name].value, 6) for name in ("low_exponent", "high_exponent", "log_breakpoint")]
    [2.0, 1.0, 2.302585]
    """
    data = Data.from_arrays(x, y, cluster, y_error)
    u = data.log_x
    levels = np.unique(u)
    if len(levels) < 2 * MIN_SIDE + 1:
        raise InputError("x", len(levels), "too few distinct values for a breakpoint between them", "Give five or more")

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, low, high, star = theta
        v = u - star
        above = v > 0
        slope = np.where(above, high, low)
        return c + slope * v, np.stack([np.ones_like(u), v * ~above, v * above, -slope], axis=-1)

    best: tuple[float, NDArray] | None = None
    for left, right in zip(
        levels[MIN_SIDE - 1 : -MIN_SIDE], levels[MIN_SIDE : len(levels) - MIN_SIDE + 1], strict=True
    ):
        # within one gap between abscissas the two lines are free of each other: where they meet decides
        below = u <= left
        lines = [np.polyfit(u[side], data.log_y[side], 1, w=data.weight[side]) for side in (below, ~below)]
        (p1, c1), (p2, c2) = lines
        inside = (c1 - c2) / (p2 - p1) if p2 != p1 else math.nan
        for star in [inside] if left < inside < right else [left, right]:
            theta = _lines_that_meet(data, star)
            value, _ = law(theta, u)
            cost = float(np.sum((data.weight * (data.log_y - value)) ** 2))
            if best is None or cost < best[0]:
                best = cost, theta
    assert best is not None  # there is a gap
    return fitted_law(data, law, ["log_level", "low_exponent", "high_exponent", "log_breakpoint"], best[1])


def _lines_that_meet(data: Data, star: float) -> NDArray:
    """Return constant, both slopes and ``star`` of the least-squares lines that meet at ``star``."""
    v = data.log_x - star
    design = np.stack([np.ones_like(v), np.minimum(v, 0), np.maximum(v, 0)], axis=-1) * data.weight[:, None]
    c, low, high = np.linalg.lstsq(design, data.log_y * data.weight, rcond=None)[0]
    return np.array([c, low, high, star])
