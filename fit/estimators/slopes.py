"""Exponents from log-log data, with intervals that hold for a few widths and a few seeds.

Two designs occur. An exponent in A is seen inside every network family: a *cluster* is a (width, seed) pair, whose
networks share their initial weights at all A, so that one slope per cluster is an independent draw and Student's t over
clusters is its interval. An exponent in h is seen between widths: every (width, seed) pair gives one value, independent
of all others, and the slope is their regression on log h.

Statistics over seeds that are no averages (a root mean square, a standard deviation) enter both designs through
jackknife pseudo-values, one per seed (`fit.estimators.jackknife`).

`benchmarks/calibration.py` measures how often exactly these intervals cover the truth.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit
from scipy.special import fdtrc
from statsmodels.regression.linear_model import OLS, WLS  # statsmodels.api takes half a second more to import
from statsmodels.robust.norms import HuberT
from statsmodels.robust.robust_linear_model import RLM
from statsmodels.stats.oneway import anova_oneway
from statsmodels.tools.tools import add_constant

from fit.estimators.estimate import Estimate
from lazyrich.errors import InputError

#: Below this p-value of a preliminary test (slopes drift with the width; a straight line does not fit) the widths are
#: the independent units. Up to SUSPICION the standard error is scaled by sqrt(F) (Birge's ratio): a weak effect then
#: costs power in proportion, where a switch to one or two degrees of freedom would cost all of it.
PRELIMINARY_LEVEL = 0.02
SUSPICION = 0.2
#: Exponents that differ by less agree: the difference is rounding, no scatter to test.
ROUNDING = 1e-9
GAUSS_NEWTON_STEPS = 12
#: E psi^4/(E psi²)² of Huber's psi at the normal distribution (3 without clipping).
HUBER_KURTOSIS = 1.9


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
        raise InputError("y_error", "given", "weights are for independent points and one power", "Leave out the rest")
    if robust and (correction_exponent is not None or noise == "absolute"):
        raise InputError("robust", robust, "it is a regression of logarithms on a line", "Leave out the rest")
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


def slope_within(
    log_x: NDArray,
    log_y: NDArray,
    group: NDArray | None = None,
    correction_exponent: float | None = None,
    *,
    robust: bool = False,
) -> Estimate | None:
    """Mean over clusters of the slope within a cluster, or None if fewer than two clusters have one.

    Parameters
    ----------
    log_x, log_y : ndarray of shape (clusters, points)
        NaN in ``log_y`` marks what is missing.
    group : ndarray of shape (clusters,), optional
        See `exponent`. Slopes that drift with the width are a finite-width correction, no sampling noise: the
        spread between widths is then the honest measure of uncertainty, with t(groups - 1).
    correction_exponent : float, optional
        See `exponent`.
    robust : bool
        Huber's estimate of location in place of the mean.
    """
    slopes = cluster_slopes(log_x, log_y, correction_exponent)
    estimate = mean_over(slopes, group, robust=robust)
    if estimate is None:
        return None
    return dataclasses.replace(estimate, n_points=int(np.isfinite(log_y[np.isfinite(slopes)]).sum()))


def mean_over(values: NDArray, group: NDArray | None = None, *, robust: bool = False) -> Estimate | None:
    """Mean of one value per cluster, or None with fewer than two; NaN is left out.

    ``group`` and ``robust`` are those of `slope_within`.
    """
    fitted = np.isfinite(values)
    sample, scale = values[fitted], 1.0
    count = len(sample)
    if count < 2:
        return None
    notes: tuple[str, ...] = ()
    if group is not None:
        labels = np.asarray(group)[fitted]
        f_drift, p_drift = _equal_means(sample, labels)
        scale = _birge(f_drift, p_drift)
        if p_drift < PRELIMINARY_LEVEL:
            scale = 1.0
            sample = np.array([sample[labels == name].mean() for name in np.unique(labels)])
            notes = (f"slopes drift with the width (p = {p_drift:.1g}), so widths are the independent units",)
    value, error, freedom = _last_coefficient(sample, np.ones((len(sample), 1)), robust)
    return Estimate(
        value=value,
        standard_error=scale * _standard_error(error, sample),
        dof=freedom,
        n_points=count,
        n_clusters=count,
        notes=notes,
    )


def slope_between(log_x: NDArray, values: NDArray, *, robust: bool = False) -> Estimate | None:
    """Slope of independent values on the ``log_x`` of their group; None with fewer than two groups or no freedom left.

    The interval comes from the residuals of all values, with the variance estimate HC2, since narrow networks scatter
    more than wide ones, scaled by sqrt(F) where the F test for lack of fit of a straight line is suspicious. Where that
    test rejects the line, or there is one value per group, the interval comes from the scatter of the groups,
    t(groups - 2).

    Parameters
    ----------
    log_x : ndarray of shape (n,)
        The logarithm of the abscissa (the width); equal within a group.
    values : ndarray of shape (n,)
        Logarithms, or jackknife pseudo-values of a logarithm; NaN is left out.
    robust : bool
        Huber's M-estimate in place of least squares (not for pseudo-values: whose statistic it would change).
    """
    present = np.isfinite(values)
    log_x, values = log_x[present], values[present]
    levels, group = np.unique(log_x, return_inverse=True)
    if len(levels) < 2 or len(values) < 3:
        return None
    if robust:
        value, error, freedom = _last_coefficient(values, add_constant(log_x), robust)
        return Estimate(
            value=value,
            standard_error=_standard_error(error, values),
            dof=freedom,
            prefactor=float(np.exp(np.median(values - value * log_x))),
            n_points=len(values),
            n_clusters=len(values),
        )
    line = OLS(values, add_constant(log_x))
    plain = line.fit()
    value, notes = float(plain.params[1]), tuple[str, ...]()
    repeated = np.bincount(group).min() > 1
    # a value that is alone at its width has leverage 1 if there are two widths: HC2 divides by what is left of it
    error = line.fit(cov_type="HC2", use_t=True).bse[1] if repeated else plain.bse[1]
    standard_error, dof = _standard_error(error, values), float(len(values) - 2)
    f_fit, p_fit = _straightness(plain, values, group)
    standard_error *= _birge(f_fit, p_fit)
    if p_fit < PRELIMINARY_LEVEL:
        between = OLS(np.bincount(group, values) / np.bincount(group), add_constant(levels)).fit()
        value, standard_error, dof = float(between.params[1]), float(between.bse[1]), float(len(levels) - 2)
        notes = (
            f"widths scatter about the line by more than their noise (p = {p_fit:.1g}), "
            "so the interval comes from that scatter",
        )
    return Estimate(
        value=value,
        standard_error=standard_error,
        dof=dof,
        prefactor=float(np.exp(np.mean(values) - value * np.mean(log_x))),
        n_points=len(values),
        n_clusters=len(values),
        notes=notes,
    )


def cluster_slopes(log_x: NDArray, log_y: NDArray, correction_exponent: float | None = None) -> NDArray:
    """Least-squares slope of every row, NaN where a row has no more points than coefficients need.

    Parameters
    ----------
    log_x, log_y : ndarray of shape (clusters, points)
        NaN in ``log_y`` marks what is missing.
    correction_exponent : float, optional
        The w of a factor 1 + b x**w, fitted along by Gauss-Newton steps (all rows at once: scipy's fitters take one
        curve at a time).
    """
    if log_x.shape[-1] == 0:  # an empty window
        return np.full(log_x.shape[:-1], np.nan)
    here = np.isfinite(log_y) & np.isfinite(log_x)
    count = np.maximum(here.sum(axis=-1, keepdims=True), 1)
    distinct = _distinct(np.where(here, log_x, np.nan))

    def centred(values: NDArray) -> NDArray:
        return np.where(here, values - np.where(here, values, 0.0).sum(axis=-1, keepdims=True) / count, 0.0)

    def along(values: NDArray, direction: NDArray) -> NDArray:
        """Coefficient of every row of ``values`` on one of ``direction``, both centred."""
        square = np.sum(direction**2, axis=-1, keepdims=True)
        return np.sum(values * direction, axis=-1, keepdims=True) / np.maximum(square, np.finfo(float).tiny)

    x, y = centred(log_x), centred(log_y)
    if correction_exponent is None:
        return np.where(distinct >= 2, along(y, x)[..., 0], np.nan)
    power = np.where(here, np.exp(correction_exponent * np.where(here, log_x, 0.0)), 0.0)
    # 1 + b x**w stays positive: b is kept above -(1 - 1/8)/max x**w
    lowest = -0.875 / np.maximum(power.max(axis=-1, keepdims=True), np.finfo(float).tiny)
    b = np.zeros((len(y), 1))
    for _ in range(GAUSS_NEWTON_STEPS):
        factor = 1 + b * power
        # log(1 + b' P) ~ log(1 + b P) + (b' - b) P/(1 + b P)
        target = y - centred(np.log(factor)) + centred(b * power / factor)
        column = centred(power / factor)
        # least squares on x and the column together: first b from what x leaves of either, then the slope
        own = column - along(column, x) * x
        free = along(target - along(target, x) * x, own)
        slope = along(target - free * column, x)[..., 0]
        b = np.maximum(free, lowest)
    return np.where(distinct >= 3, slope, np.nan)


def _last_coefficient(values: NDArray, design: NDArray, robust: bool) -> tuple[float, float, float]:
    """The last coefficient, its error and the error's degrees of freedom: by least squares or Huber's M-estimate.

    The M-estimate's error is the linearised jackknife: leaving out value i changes the coefficients by
    -(X' W X - w_i x_i x_i')^{-1} x_i psi(r_i), W = diag(w), w = psi'(r). The textbook's (statsmodels' H1) takes all
    values to scatter equally, which widths do not: it covered 75 to 90 % in the calibration's designs. Its degrees of
    freedom are Satterthwaite's, from how few values carry the sum of squares.
    """
    freedom = float(np.subtract(*design.shape))
    line = OLS(values, design).fit()
    if not robust or np.median(np.abs(line.resid)) <= ROUNDING:
        return float(line.params[-1]), float(line.bse[-1]), freedom
    norm = HuberT()
    fitted = RLM(values, design, M=norm).fit()
    standard = fitted.resid / fitted.scale
    psi, weight = fitted.scale * norm.psi(standard), norm.psi_deriv(standard)
    bread = np.linalg.pinv(design.T @ (weight[:, None] * design))
    moved = design @ bread
    left = 1 - weight * np.sum(moved * design, axis=1)
    change = moved[:, -1] * psi / np.maximum(left, ROUNDING)
    squares = change**2
    freedom = min(freedom, HUBER_KURTOSIS * float(squares.sum() ** 2 / (squares @ squares)))
    return float(fitted.params[-1]), math.sqrt((len(values) - 1) / len(values) * squares.sum()), freedom


def _distinct(rows: NDArray) -> NDArray:
    ordered = np.sort(rows, axis=-1)  # NaN last
    return np.isfinite(ordered[..., 0]) + np.sum(np.diff(ordered, axis=-1) > 0, axis=-1)


def _birge(f: float, p: float) -> float:
    return math.sqrt(max(1.0, f)) if p < SUSPICION else 1.0


def _straightness(line, values: NDArray, group: NDArray) -> tuple[float, float]:
    """F and p-value of the test that group means lie on the fitted ``line``; (0, 1) where it can't be made."""
    groups = group.max() + 1
    if groups < 3 or len(values) <= groups:
        return 0.0, 1.0
    means = np.bincount(group, values) / np.bincount(group)
    within = float(np.sum((values - means[group]) ** 2))
    if within <= ROUNDING**2:
        return 0.0, 1.0
    # the F test of the line against one mean a group
    freedom = len(values) - groups
    f = max(float(line.ssr) - within, 0.0) / (line.df_resid - freedom) / (within / freedom)
    return f, float(fdtrc(line.df_resid - freedom, freedom, f))


def _equal_means(values: NDArray, labels: NDArray) -> tuple[float, float]:
    """F and p-value of Welch's test that all groups have the same mean; (0, 1) where it can't be made."""
    names, count = np.unique(labels, return_counts=True)
    samples = [values[labels == name] for name in names[count > 1]]
    if len(samples) < 2 or min(np.ptp(sample) for sample in samples) < ROUNDING:
        return 0.0, 1.0
    result = anova_oneway(samples, use_var="unequal")
    return float(result.statistic), float(result.pvalue)


def _standard_error(error: float, values: NDArray) -> float:
    return float(error) if np.ptp(values) > ROUNDING else 0.0


def _independent(x: NDArray, y: NDArray, correction_exponent: float | None) -> Estimate:
    coefficients = 2 if correction_exponent is None else 3
    if len(np.unique(x)) < coefficients or len(x) <= coefficients:
        raise InputError("x", len(x), f"{coefficients} coefficients leave no freedom", "Give more points")
    log_x, log_y = np.log(x), np.log(y)
    if correction_exponent is None:
        result = OLS(log_y, add_constant(log_x)).fit()
        best, errors = result.params, result.bse
    else:
        w = correction_exponent
        top = float(np.max(x**w))
        best, covariance = curve_fit(
            lambda log_x, constant, power, b: constant + power * log_x + np.log1p(b * np.exp(w * log_x)),
            log_x,
            log_y,
            p0=(*np.polyfit(log_x, log_y, 1)[::-1], 0.0),
            bounds=((-np.inf, -np.inf, -0.999 / top), np.inf),
        )
        errors = np.sqrt(np.diag(covariance))
    return Estimate(
        value=float(best[1]),
        standard_error=float(errors[1]),
        dof=float(len(x) - coefficients),
        prefactor=float(np.exp(best[0])),
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


def _check(field: str, values: NDArray, like: NDArray) -> None:
    if values.ndim != 1 or values.shape != like.shape:
        raise InputError(field, values.shape, "x and y are one-dimensional and of equal length", "Flatten them first")
    bad = values[~(np.isfinite(values) & (values > 0))]
    if bad.size:
        raise InputError(
            field, float(bad[0]), "a power law needs finite, positive values", "Leave out the points that have none"
        )
