"""Exponents seen between groups: every (width, seed) pair gives one value, independent of all others.

The exponent in h is the slope of their regression on log h.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS  # statsmodels.api takes half a second more to import
from statsmodels.tools.tools import add_constant

from fit.estimators.estimate import Estimate
from fit.estimators.preliminary import PRELIMINARY_LEVEL, rounded_to_zero, straightness_test
from fit.estimators.robust import last_coefficient


def slope_between(log_x: NDArray, values: NDArray, *, robust: bool = False) -> Estimate | None:
    """Slope of independent values on the ``log_x`` of their group; None with fewer than two groups or no freedom left.

    The interval comes from the residuals of all values, with the variance estimate HC2, since narrow networks scatter
    more than wide ones. Where groups scatter about the line by more than that explains (F > 1 in the test for lack of
    fit), it is scaled by sqrt(F), with t(groups - 2): the variance between groups is a part of the error, and known as
    well as there are groups. Where the test rejects the line, or there is one value per group, the interval comes from
    the groups alone. With scatter between groups of 0, 1, 2 and 5 standard errors of their means, intervals of 10
    values at each of 4 groups cover .971, .939, .936, .946, of 5 groups .970, .955, .945, .949.

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
        value, error, freedom = last_coefficient(values, add_constant(log_x), robust)
        return Estimate(
            value=value,
            standard_error=rounded_to_zero(error, values),
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
    standard_error, dof = rounded_to_zero(error, values), float(len(values) - 2)
    f_fit, p_fit = straightness_test(plain, values, group)
    if f_fit > 1:  # scatter between groups is a part of the error, known as well as there are groups
        standard_error, dof = standard_error * math.sqrt(f_fit), float(len(levels) - 2)
    if p_fit < PRELIMINARY_LEVEL:
        between = OLS(np.bincount(group, values) / np.bincount(group), add_constant(levels)).fit()
        value, standard_error, dof = float(between.params[1]), float(between.bse[1]), float(len(levels) - 2)
        notes = (
            f"the widths scatter about the line by more than their noise (p = {p_fit:.1g}), "
            "so that the interval comes from this scatter",
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
