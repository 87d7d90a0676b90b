"""Straight lines through values of which some are known only to lie beyond the end of what was measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm

from fit.intervals import Estimate

#: Uncensored values that a line needs, and the groups (widths) that they must come from.
MIN_SEEN = 8


def censored_slope(x: NDArray, value: NDArray, side: NDArray) -> Estimate | None:
    """Maximum-likelihood slope of ``value`` on ``x`` with Gaussian scatter (Tobit); None if too few are seen.

    The scatter may be a power of the abscissa, log sigma = s0 + s1·x, as narrow networks scatter more than wide ones.
    Errors come from the observed information, with t(values seen - 2).

    Parameters
    ----------
    x, value : ndarray of shape (n,)
        Logarithms; NaN values are left out.
    side : ndarray of shape (n,)
        0 where the value was seen, 1 where it is known to be larger than ``value``, -1 where smaller.
    """
    here = np.isfinite(value)
    x, value, side = x[here], value[here], side[here]
    seen = side == 0
    if seen.sum() < MIN_SEEN or len(np.unique(x[seen])) < 2:
        return None
    centre = x.mean()
    u = x - centre

    def negative(theta: NDArray) -> float:
        a, b, s0, s1 = theta
        log_sigma = s0 + s1 * u
        z = (value - a - b * u) * np.exp(-log_sigma)
        parts = np.where(seen, norm.logpdf(z) - log_sigma, np.where(side > 0, norm.logsf(z), norm.logcdf(z)))
        return -float(parts.sum())

    slope, constant = np.polyfit(u[seen], value[seen], 1)
    scatter = np.std(value[seen] - constant - slope * u[seen]) + 1e-12
    best = minimize(negative, [constant, slope, np.log(scatter), 0.0], method="BFGS", options={"gtol": 1e-6})
    covariance = np.linalg.pinv(_hessian(negative, best.x))
    # the likelihood's variance is the sum of squares over n; least squares divides by n - 2
    freedom = float(seen.sum() - 2)
    error = np.sqrt(max(covariance[1, 1], 0.0) * seen.sum() / freedom)
    return Estimate(
        float(best.x[1]), float(error), freedom, float(np.exp(best.x[0] - best.x[1] * centre)), len(value), len(value)
    )


def _hessian(function: Callable[[NDArray], float], at: NDArray) -> NDArray:
    """Second derivatives by central differences."""
    steps = np.diag(1e-4 * np.maximum(1.0, np.abs(at)))
    result = np.empty((len(at), len(at)))
    for i, along in enumerate(steps):
        for j, across in enumerate(steps):
            corners = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
            total = sum(one * other * function(at + one * along + other * across) for one, other in corners)
            result[i, j] = total / (4 * along[i] * across[j])
    return result
