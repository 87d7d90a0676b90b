"""The exponent of a power law in plain arrays, with an interval that holds for few points."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit
from statsmodels.regression.linear_model import OLS, WLS  # statsmodels.api takes half a second more to import
from statsmodels.tools.tools import add_constant

from fit.estimators.between import slope_between
from fit.estimators.clusters import slope_within
from fit.estimators.corrected_power import corrected_power
from fit.estimators.estimate import Estimate
from lazyrich.errors import InputError


def exponent(
    x: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    group: ArrayLike | None = None,
    correction_exponent: float | None = None,
    noise: Literal["relative", "absolute"] = "relative",
    robust: bool = False,
    y_error: ArrayLike | None = None,
) -> Estimate:
    """Estimate p in y = c · x**p, or in y = c · x**p · (1 + b · x**w) with a known w.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Positive measurements.
    cluster : array_like of shape (n,), optional
        Label of the independent unit each point belongs to (for networks: the pair width, seed). Points of one
        cluster may be correlated in any way. Without it all points are independent.
    group : array_like of shape (n,), optional
        A label constant within clusters (the width). If the slopes of clusters differ between groups by more than
        chance, groups take the place of clusters.
    correction_exponent : float, optional
        The fixed w of the leading correction.
    noise : {"relative", "absolute"}
        Whether the scatter of y is proportional to y (regression of the logarithms) or constant (non-linear least
        squares; no clusters, no correction).
    robust : bool
        Huber's M-estimate in place of least squares: outliers (whole clusters, where there are any) lose their pull.
    y_error : array_like of shape (n,), optional
        Standard errors of y, up to a common factor; points count by their inverse squares. Without clusters.

    Returns
    -------
    Estimate

    Raises
    ------
    InputError
        For values that have no logarithm, and for too few points or clusters.

    Examples
    --------
    >>> estimate = exponent([1, 10, 100, 1000], [2, 0.2, 0.021, 0.0019])
    >>> round(estimate.value, 2)
    -1.0
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    _check("x", x, x)
    _check("y", y, x)
    plain = cluster is None and correction_exponent is None and noise == "relative"
    if y_error is not None and (robust or not plain):
        raise InputError("y_error", "given", "weights are for independent points and one power", "Leave out the others")
    if robust and (correction_exponent is not None or noise == "absolute"):
        raise InputError("robust", robust, "it is a regression of logarithms on a line", "Leave out the other options")
    if noise == "absolute":
        if cluster is not None or correction_exponent is not None:
            raise InputError(
                "noise", noise, "clusters and corrections need relative noise", 'Use noise="relative" or leave them out'
            )
        return _absolute(x, y)
    if noise != "relative":
        raise InputError("noise", noise, "there is no such model of the scatter", 'Give "relative" or "absolute"')
    if cluster is None:
        if robust:
            return _robust_independent(x, y)
        if y_error is not None:
            error = np.asarray(y_error, dtype=float)
            _check("y_error", error, x)
            return _weighted(x, y, error)
        return _independent(x, y, correction_exponent)

    labels, member = np.unique(np.asarray(cluster), return_inverse=True)
    # points of a cluster in one row; rows of short clusters are filled up with NaN
    order = np.argsort(member, kind="stable")
    counts = np.bincount(member)
    column = np.arange(len(x)) - np.repeat(np.cumsum(counts) - counts, counts)
    log_x = np.full((len(labels), counts.max()), np.nan)
    log_y = log_x.copy()
    log_x[member[order], column] = np.log(x[order])
    log_y[member[order], column] = np.log(y[order])
    groups = None if group is None else np.asarray(group)[order][np.cumsum(counts) - counts]
    estimate = slope_within(log_x, log_y, groups, correction_exponent, robust=robust)
    if estimate is None:
        raise InputError(
            "cluster", list(labels[:5]), "fewer than two clusters have enough points for a slope", "Measure more seeds"
        )
    return estimate


def _independent(x: NDArray, y: NDArray, correction_exponent: float | None) -> Estimate:
    coefficients = 2 if correction_exponent is None else 3
    if len(np.unique(x)) < coefficients or len(x) <= coefficients:
        raise InputError("x", len(x), f"{coefficients} coefficients leave no freedom", "Give more points")
    if correction_exponent is not None:
        fitted = corrected_power(x, y, correction_exponent=correction_exponent)
        return dataclasses.replace(fitted["exponent"], prefactor=math.exp(fitted["log_prefactor"].value))
    result = OLS(np.log(y), add_constant(np.log(x))).fit()
    return Estimate(
        value=float(result.params[1]),
        standard_error=float(result.bse[1]),
        dof=float(len(x) - coefficients),
        prefactor=float(np.exp(result.params[0])),
        n_points=len(x),
        n_clusters=len(x),
    )


def _robust_independent(x: NDArray, y: NDArray) -> Estimate:
    if len(np.unique(x)) < 2 or len(x) <= 2:
        raise InputError("x", len(x), "2 coefficients leave no freedom", "Give more points")
    estimate = slope_between(np.log(x), np.log(y), robust=True)
    assert estimate is not None
    return estimate


def _weighted(x: NDArray, y: NDArray, y_error: NDArray) -> Estimate:
    if len(np.unique(x)) < 2 or len(x) <= 2:
        raise InputError("x", len(x), "2 coefficients leave no freedom", "Give more points")
    result = WLS(np.log(y), add_constant(np.log(x)), weights=(y / y_error) ** 2).fit()
    return Estimate(
        value=float(result.params[1]),
        standard_error=float(result.bse[1]),
        dof=float(len(x) - 2),
        prefactor=float(np.exp(result.params[0])),
        n_points=len(x),
        n_clusters=len(x),
    )


def _absolute(x: NDArray, y: NDArray) -> Estimate:
    start = _independent(x, y, None)
    best, covariance = curve_fit(
        lambda x, prefactor, power: prefactor * x**power,
        x,
        y,
        p0=(start.prefactor, start.value),
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
    )
    return Estimate(
        value=float(best[1]),
        standard_error=math.sqrt(covariance[1, 1]),
        dof=float(len(x) - 2),
        prefactor=float(best[0]),
        n_points=len(x),
        n_clusters=len(x),
    )


def _check(field: str, values: NDArray, x: NDArray) -> None:
    if values.ndim != 1 or values.shape != x.shape:
        raise InputError(field, values.shape, "x and y are one-dimensional and of equal length", "Flatten them first")
    bad = values[~(np.isfinite(values) & (values > 0))]
    if bad.size:
        raise InputError(
            field, float(bad[0]), "a power law needs finite, positive values", "Leave out the points that have none"
        )
