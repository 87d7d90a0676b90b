"""Exponents seen inside clusters: a cluster is a family of networks that share their initial weights at all A.

One slope (or one value) a cluster is an independent draw, and Student's t over clusters is its interval. Statistics
over seeds that are no averages enter through jackknife pseudo-values, one per seed (`fit.estimators.jackknife`).
`benchmarks/calibration.py` measures how often exactly these intervals cover the truth.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from fit.estimators.corrected_slope import corrected_slope
from fit.estimators.estimate import Estimate
from fit.estimators.preliminary import PRELIMINARY_LEVEL, equal_means_test, rounded_to_zero, scatter_of_groups
from fit.estimators.robust import last_coefficient


def slope_within(
    log_x: NDArray,
    log_y: NDArray,
    group: NDArray | None = None,
    correction_exponent: float | None = None,
    *,
    robust: bool = False,
) -> Estimate | None:
    """Mean over clusters of the slope within a cluster, or None if fewer than two clusters have one.

    With a correction, one power and one correction for all clusters (`fit.estimators.corrected_slope`).

    Parameters
    ----------
    log_x, log_y : ndarray of shape (clusters, points)
        NaN in ``log_y`` marks what is missing.
    group : ndarray of shape (clusters,), optional
        See `exponent`. Slopes that drift with the width are a finite-width correction, no sampling noise: where the
        groups differ by more than the scatter inside them (F > 1), the spread between them is the honest measure of
        uncertainty, with t(groups - 1). Of two groups that do not, t(2): they may agree by chance.
    correction_exponent : float, optional
        See `exponent`.
    robust : bool
        Huber's estimate of location in place of the mean.
    """
    if correction_exponent is not None:
        return corrected_slope(log_x, log_y, correction_exponent, group, robust=robust)
    slopes = cluster_slopes(log_x, log_y)
    estimate = mean_over(slopes, group, robust=robust)
    if estimate is None:
        return None
    return dataclasses.replace(estimate, n_points=int(np.isfinite(log_y[np.isfinite(slopes)]).sum()))


def mean_over(values: NDArray, group: NDArray | None = None, *, robust: bool = False) -> Estimate | None:
    """Mean of one value per cluster, or None with fewer than two; NaN is left out.

    ``group`` and ``robust`` are those of `slope_within`.
    """
    fitted = np.isfinite(values)
    sample, scale, most_freedom = values[fitted], 1.0, math.inf
    count = len(sample)
    if count < 2:
        return None
    notes: tuple[str, ...] = ()
    if group is not None:
        labels = np.asarray(group)[fitted]
        f_drift, p_drift = equal_means_test(sample, labels)
        scale, most_freedom = scatter_of_groups(f_drift, labels)
        if p_drift < PRELIMINARY_LEVEL:
            scale, most_freedom = 1.0, math.inf
            sample = np.array([sample[labels == name].mean() for name in np.unique(labels)])
            notes = (f"slopes drift with the width (p = {p_drift:.1g}), so widths are taken as independent units",)
    value, error, freedom = last_coefficient(sample, np.ones((len(sample), 1)), robust)
    return Estimate(
        value=value,
        standard_error=scale * rounded_to_zero(error, sample),
        dof=min(freedom, most_freedom),
        n_points=count,
        n_clusters=count,
        notes=notes,
    )


def cluster_slopes(log_x: NDArray, log_y: NDArray) -> NDArray:
    """Least-squares slope of every row, NaN where a row has no more points than coefficients need.

    Parameters
    ----------
    log_x, log_y : ndarray of shape (clusters, points)
        NaN in ``log_y`` marks what is missing.
    """
    if log_x.shape[-1] == 0:  # an empty window
        return np.full(log_x.shape[:-1], np.nan)
    present = np.isfinite(log_y) & np.isfinite(log_x)
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    distinct = _distinct_values(np.where(present, log_x, np.nan))

    def centred(values: NDArray) -> NDArray:
        return np.where(present, values - np.where(present, values, 0.0).sum(axis=-1, keepdims=True) / count, 0.0)

    def along(values: NDArray, direction: NDArray) -> NDArray:
        """Coefficient of every row of ``values`` on one of ``direction``, both centred."""
        square = np.sum(direction**2, axis=-1, keepdims=True)
        return np.sum(values * direction, axis=-1, keepdims=True) / np.maximum(square, np.finfo(float).tiny)

    x, y = centred(log_x), centred(log_y)
    return np.where(distinct >= 2, along(y, x)[..., 0], np.nan)


def _distinct_values(rows: NDArray) -> NDArray:
    ordered = np.sort(rows, axis=-1)  # NaN last
    return np.isfinite(ordered[..., 0]) + np.sum(np.diff(ordered, axis=-1) > 0, axis=-1)
