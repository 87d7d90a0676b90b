"""The power of a model's size in a measured quantity: the slope of its logarithm on that of the size.

It is the slope over the sizes that were tried, and its interval is over draws of the initial weights, which are
independent at every size. That the power itself may still change with the size is no part of it: a margin allows for
that, and the straight line of the figure shows it.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from statsmodels.regression.linear_model import OLS  # statsmodels.api takes half a second more to import
from statsmodels.tools.tools import add_constant

from fit.estimators.estimate import Estimate
from fit.estimators.preliminary import rounded_to_zero


def power_of_size(values: xr.DataArray) -> Estimate | None:
    """Return the power in values (size, ...), with its intervals; None where any value is zero or missing.

    Intervals are Student's, with the variance estimate HC2: small models scatter more than large ones.
    """
    logs = _logarithms(values)
    return None if logs is None else slope_over_draws(*logs)


def slope_over_draws(log_sizes: np.ndarray, log_values: np.ndarray) -> Estimate | None:
    """Return the slope of independent draws, shape (n,), several at each size; None with two draws or fewer."""
    if len(log_values) < 3:
        return None
    fit = OLS(log_values, add_constant(log_sizes)).fit(cov_type="HC2", use_t=True)
    slope = float(fit.params[1])
    return Estimate(
        value=slope,
        standard_error=rounded_to_zero(fit.bse[1], log_values),
        dof=float(len(log_values) - 2),
        prefactor=float(np.exp(np.mean(log_values) - slope * np.mean(log_sizes))),
        n_points=len(log_values),
        n_clusters=len(log_values),
    )


def plain_power(values: xr.DataArray) -> float | None:
    """Return the power alone."""
    logs = _logarithms(values)
    return None if logs is None else float(np.polyfit(*logs, 1)[0])


def _logarithms(values: xr.DataArray) -> tuple[np.ndarray, np.ndarray] | None:
    """Logarithms of sizes and of values, flat; None where any value is zero or missing."""
    values = values.transpose("size", ...)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_values = np.log(values.values.reshape(len(values["size"]), -1))
    if not np.isfinite(log_values).all():
        return None
    log_sizes = np.broadcast_to(np.log(values["size"].values.astype(float))[:, None], log_values.shape)
    return log_sizes.ravel(), log_values.ravel()
