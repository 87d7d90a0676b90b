"""Straight lines through values of which some are known only to lie beyond the end of what was measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

from fit.estimators.estimate import Estimate

#: The smallest number of uncensored values to which a line is fitted.
MIN_UNCENSORED = 8
LOG_ROOT_TWO_PI = 0.5 * np.log(2 * np.pi)


def censored_slope(x: NDArray, value: NDArray, side: NDArray) -> Estimate | None:
    """Return the maximum-likelihood slope of ``value`` on ``x`` with Gaussian scatter (Tobit).

    None if fewer than `MIN_UNCENSORED` values are measured, or all at one ``x``.

    The scatter may be a power of the abscissa, log sigma = s0 + s1·x, as narrow networks scatter more than wide ones.
    Errors come from the observed information, with t(values - 2).

    Parameters
    ----------
    x, value : ndarray of shape (n,)
        Logarithms; NaN values are left out.
    side : ndarray of shape (n,)
        0 where the value was measured, 1 where it is only known to be larger than ``value``, -1 where smaller.
    """
    known = np.isfinite(value)
    x, value, side = x[known], value[known], side[known]
    uncensored = side == 0
    if uncensored.sum() < MIN_UNCENSORED or len(np.unique(x[uncensored])) < 2:
        return None
    centre = x.mean()
    u = x - centre

    towards = np.where(side > 0, -1.0, 1.0)  # a censored value's probability is Phi(towards · z)

    def negative(theta: NDArray) -> tuple[float, NDArray]:
        a, b, s0, s1 = theta
        log_sigma = s0 + s1 * u
        inverse = np.exp(-log_sigma)
        z = (value - a - b * u) * inverse
        beyond = log_ndtr(towards * z)
        log_density = -0.5 * z**2 - LOG_ROOT_TWO_PI
        # d/dz log Phi(±z) = ± phi(z)/Phi(±z)
        by_z = np.where(uncensored, -z, towards * np.exp(log_density - beyond))
        by_level, by_scale = -by_z * inverse, -by_z * z - uncensored
        total = np.where(uncensored, log_density - log_sigma, beyond).sum()
        gradient = [by_level.sum(), by_level @ u, by_scale.sum(), by_scale @ u]
        return -float(total), -np.array(gradient)

    slope, constant = np.polyfit(u[uncensored], value[uncensored], 1)
    scatter = np.std(value[uncensored] - constant - slope * u[uncensored]) + 1e-12
    start = [constant, slope, np.log(scatter), 0.0]
    best = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-6})
    covariance = np.linalg.pinv(_hessian(lambda theta: negative(theta)[1], best.x))
    # the likelihood's variance is the sum of squares over n; least squares divides by n - 2. Censored values
    # carry information on the scatter too: with uncensored ones alone, intervals of half-censored data cover 97.5 %
    freedom = float(len(value) - 2)
    error = np.sqrt(max(covariance[1, 1], 0.0) * len(value) / freedom)
    return Estimate(
        float(best.x[1]), float(error), freedom, float(np.exp(best.x[0] - best.x[1] * centre)), len(value), len(value)
    )


def _hessian(gradient: Callable[[NDArray], NDArray], point: NDArray) -> NDArray:
    """Return the second derivatives at ``point``: central differences of the first ones, made symmetric."""
    steps = 1e-5 * np.maximum(1.0, np.abs(point))
    rows = [
        (gradient(point + step) - gradient(point - step)) / (2 * size)
        for step, size in zip(np.diag(steps), steps, strict=True)
    ]
    result = np.stack(rows)
    return 0.5 * (result + result.T)
