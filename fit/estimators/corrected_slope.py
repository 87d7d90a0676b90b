"""A power with its leading correction inside clusters: one power and one correction for all, a prefactor for each.

    log y = c_g + p u + log(1 + b e^{w u}),    u = log x,    w known

Fitted to each cluster alone and averaged, b would be taken from a few points and bias p: at 1 % of noise and b = 3,
intervals of the average were seen to cover 3 %.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from fit.estimators.correction import log_factor, minima
from fit.estimators.estimate import Estimate
from fit.estimators.least_squares import cluster_covariance
from fit.estimators.preliminary import PRELIMINARY_LEVEL, equal_means_test, scatter_of_groups
from fit.estimators.robust import last_coefficient

#: A minimum fits as well as the least one if its sum of squares is larger by less than this, in variances of a point.
WITHIN_NOISE = float(chi2.ppf(0.95, 1))


def corrected_slope(
    log_x: NDArray, log_y: NDArray, correction_exponent: float, group: NDArray | None = None, *, robust: bool = False
) -> Estimate | None:
    """Estimate p; None with fewer than three clusters, or fewer than three abscissas.

    Parameters
    ----------
    log_x, log_y : ndarray of shape (clusters, points)
        NaN in ``log_y`` marks what is missing.
    correction_exponent : float
        The known w.
    group : ndarray of shape (clusters,), optional
        A label constant within clusters (the width). If conditional slopes of clusters drift with it by more than
        chance, groups are the independent units.
    robust : bool
        Huber's estimate of location of the clusters' slopes at the joint b.

    Returns
    -------
    Estimate
        With the cluster-robust error CR3 and t(clusters - 1). ``alternative`` is the power of another minimum that fits
        as well within the noise.
    """
    present = np.isfinite(log_x) & np.isfinite(log_y)
    usable = present.sum(axis=-1) > 1
    if usable.sum() < 3 or len(np.unique(log_x[usable][present[usable]])) < 3:
        return None
    present, count = present[usable], present[usable].sum(axis=-1, keepdims=True)

    def centred(values: NDArray) -> NDArray:
        return np.where(present, values - np.where(present, values, 0.0).sum(axis=-1, keepdims=True) / count, 0.0)

    raw_x = np.where(present, log_x[usable], 0.0)
    x, y = centred(raw_x), centred(np.where(present, log_y[usable], 0.0))
    power = np.where(present, np.exp(correction_exponent * raw_x), 0.0)
    square = float(np.sum(x**2))

    def slope_of(b: float) -> tuple[float, NDArray]:
        """Return the best p at a b, and the values that it is fitted to."""
        target = y - centred(log_factor(b, power)[0])
        return float(np.sum(x * target)) / square, target

    def cost(b: float) -> float:
        p, target = slope_of(b)
        return float(np.sum((target - p * x) ** 2))

    solutions = minima(cost, power[present])
    b, smallest_cost = solutions[0]
    value, target = slope_of(b)
    variance = smallest_cost / max(1, int(present.sum()) - len(present) - 2)
    alternative = next(
        (slope_of(b_other)[0] for b_other, cost_other in solutions[1:]
         if cost_other - smallest_cost <= WITHIN_NOISE * variance), None,
    )  # fmt: skip

    slopes = np.sum(x * target, axis=-1) / np.maximum(np.sum(x**2, axis=-1), np.finfo(float).tiny)
    cluster, scale, most_freedom, notes = np.arange(len(x)), 1.0, math.inf, tuple[str, ...]()
    if group is not None:
        labels = np.asarray(group)[usable]
        f_drift, p_drift = equal_means_test(slopes, labels)
        scale, most_freedom = scatter_of_groups(f_drift, labels)
        if p_drift < PRELIMINARY_LEVEL:
            scale, most_freedom, cluster = 1.0, math.inf, np.unique(labels, return_inverse=True)[1]
            notes = (f"slopes drift with the width (p = {p_drift:.1g}), so widths are taken as independent units",)
    jacobian = np.stack([x, centred(log_factor(b, power)[1])], axis=-1)[present]
    residual = (target - value * x)[present]
    member = np.broadcast_to(cluster[:, None], present.shape)[present]
    covariance, clusters = cluster_covariance(jacobian, residual, member, np.linalg.pinv(jacobian.T @ jacobian))
    error, dof = scale * math.sqrt(max(covariance[0, 0], 0.0)), float(clusters - 1)
    if robust:
        sample = slopes if clusters == len(slopes) else np.array([slopes[cluster == g].mean() for g in range(clusters)])
        design = np.ones((len(sample), 1))
        plain = last_coefficient(sample, design, robust=False)[1]
        value, held_back, dof = last_coefficient(sample, design, robust=True)
        error = math.hypot(held_back, math.sqrt(max(error**2 - plain**2, 0.0)))  # plus the part that comes from b
    return Estimate(
        value=value, standard_error=error, dof=min(dof, most_freedom), n_points=int(present.sum()),
        n_clusters=clusters, notes=notes, alternative=alternative,
    )  # fmt: skip
