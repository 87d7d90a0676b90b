"""A power that goes over smoothly into another.

log y = c + p1 v + (p2 - p1)/s · log((1 + e^{s v})/2),    v = u - u*,    u = log x
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.least_squares import Data, ModelFit, check_freedom, fit_law

#: A crossover between two powers is no sharper and no smoother than this: beyond, the points cannot tell.
SHARPNESS = (0.2, 8.0)


def smooth_crossover(
    x: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    sharpness: float | None = 1.0,
    y_error: ArrayLike | None = None,
) -> ModelFit:
    """Fit a power of x that goes over smoothly into another: both asymptotes and where they meet, in one fit.

    Parameters
    ----------
    sharpness : float or None
        The s of the module's formula: the correction to either asymptote falls as (x/x*)^(∓s). None fits it too.

    Returns
    -------
    ModelFit
        low_exponent, high_exponent, log_crossover (the natural logarithm of the x* at which the asymptotes meet),
        log_level (log y there), and sharpness if it was free.

    Examples
    --------
    >>> x = np.geomspace(1e-3, 1e3, 19)
    >>> fitted = smooth_crossover(x, 1 / (x + x**2 / 2))
    >>> [round(fitted[name].value, 6) for name in ("low_exponent", "high_exponent", "log_crossover")]
    [-1.0, -2.0, 0.693147]
    """
    data = Data.from_arrays(x, y, cluster, y_error)
    u = data.log_x
    free = sharpness is None

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, low, high, star = theta[:4]
        s = float(theta[4]) if sharpness is None else sharpness
        v = u - star
        soft = np.logaddexp(0.0, s * v) - math.log(2.0)
        share = 0.5 * (1 + np.tanh(0.5 * s * v))  # the logistic function
        step = high - low
        columns = [np.ones_like(u), v - soft / s, soft / s, -(low + step * share)]
        if free:
            columns.append(step * (v * share / s - soft / s**2))
        return c + low * v + step * soft / s, np.stack(columns, axis=-1)

    check_freedom(data, 4 + free)
    starts = _two_lines(u, data.log_y)
    names = ["log_level", "low_exponent", "high_exponent", "log_crossover"] + (["sharpness"] if free else [])
    low, high = [-np.inf, -np.inf, -np.inf, float(u.min())], [np.inf, np.inf, np.inf, float(u.max())]
    if free:
        low.append(SHARPNESS[0])
        high.append(SHARPNESS[1])
        starts = [[*start, s] for start in starts for s in (0.7, 2.0)]
    return fit_law(data, law, names, starts, (low, high))


def _two_lines(u: NDArray, log_y: NDArray) -> list[list[float]]:
    """Starting values: straight lines through the lower and the upper part, and where they meet."""
    starts = []
    for part in (0.3, 0.5):
        low, high = (u <= np.quantile(u, part)), (u >= np.quantile(u, 1 - part))
        (p1, c1), (p2, c2) = (np.polyfit(u[side], log_y[side], 1) for side in (low, high))
        star = (c1 - c2) / (p2 - p1) if p2 != p1 else float(np.median(u))
        star = float(np.clip(star, *np.quantile(u, (0.1, 0.9))))
        starts.append([c1 + p1 * star, p1, p2, star])
    return starts
