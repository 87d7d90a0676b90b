"""From labelled numbers, one a network, to the arrays that estimators take."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.jackknife import log_rms


def logarithms(values: xr.DataArray, statistic: str) -> xr.DataArray:
    """Return logarithms per network, or pseudo-values of the logarithm of the rms over seeds; NaN where there is none.

    A mean or a median over seeds is estimated by the mean of the logarithms: all three have the same power.
    """
    numbers = values.transpose(..., "seed").values
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = log_rms(numbers**2) if statistic == "rms" else np.log(numbers)
    return values.transpose(..., "seed").copy(data=np.where(np.isfinite(logs), logs, np.nan))


def log(values: xr.DataArray) -> xr.DataArray:
    """Return the natural logarithm; NaN, or an infinity, where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return values.copy(data=np.log(values.values))


def is_finite(values: xr.DataArray) -> xr.DataArray:
    """Return where values are neither NaN nor infinite."""
    return values.copy(data=np.isfinite(values.values))


def pairs(values: xr.DataArray) -> NDArray:
    """Return one number a (width, seed) pair, those of one width side by side."""
    return values.transpose("width", "seed").values.ravel()


def width_of_pairs(values: xr.DataArray) -> NDArray:
    """Return the width of each (width, seed) pair, as in `pairs`."""
    return np.repeat(values["width"].values, values.sizes["seed"])
