"""Pseudo-values: a statistic over seeds that is no average, seen as an average over seeds.

theta_s = S·theta - (S - 1)·theta_(-s), with theta_(-s) the statistic without seed s. Their mean is the statistic with
its bias of order 1/S removed, and they behave like independent draws, so that whatever is linear in theta (a slope
over A, a slope over widths) takes its interval from them. A resampling bootstrap would draw a seed twice and see too
small a variance, by (S - 1)/S.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def log_rms(squares: NDArray) -> NDArray:
    """Pseudo-values of log sqrt(mean over seeds of ``squares``).

    Parameters
    ----------
    squares : ndarray of shape (..., seed)
        Squares of a quantity; NaN where a network is left out.

    Returns
    -------
    ndarray of the same shape
        NaN where left out, and everywhere with fewer than two seeds.
    """
    present = np.isfinite(squares)
    count = present.sum(-1, keepdims=True)
    total = np.where(present, squares, 0).sum(-1, keepdims=True)
    return _pseudo_values(total, total - squares, count, count - 1, present & (count > 1))


def log_standard_deviation(deviations: NDArray) -> NDArray:
    """Pseudo-values of log sqrt(unbiased variance over seeds).

    Parameters
    ----------
    deviations : ndarray of shape (..., seed)
        Squared distance of each seed from the mean over seeds (itself an average over test points, say); NaN where
        a network is left out.

    Returns
    -------
    ndarray of the same shape
        NaN where left out, and everywhere with fewer than three seeds.
    """
    present = np.isfinite(deviations)
    count = present.sum(-1, keepdims=True)
    total = np.where(present, deviations, 0).sum(-1, keepdims=True)
    usable = present & (count > 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        # sum of squares about the mean of the others: SS - d·S/(S - 1)
        without = total - deviations * count / (count - 1)
    return _pseudo_values(total, without, count - 1, count - 2, usable, count)


def _pseudo_values(
    total: NDArray, without: NDArray, freedom: NDArray, freedom_without: NDArray, usable: NDArray, count=None
) -> NDArray:
    count = freedom if count is None else count
    with np.errstate(divide="ignore", invalid="ignore"):
        full = 0.5 * np.log(total / freedom)
        left_out = 0.5 * np.log(without / freedom_without)
        return np.where(usable, count * full - (count - 1) * left_out, np.nan)
