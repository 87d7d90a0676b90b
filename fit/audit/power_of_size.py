"""The power of a model's size in a measured quantity: the slope of its logarithm on that of the size."""

from __future__ import annotations

import numpy as np
import xarray as xr

from fit.estimators.between import slope_between
from fit.estimators.estimate import Estimate


def power_of_size(values: xr.DataArray) -> Estimate | None:
    """Return the power in values (size, ...), with its intervals; None where any value is zero or missing."""
    logs = _logarithms(values)
    return None if logs is None else slope_between(*logs)


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
