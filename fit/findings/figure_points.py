"""What a figure shows of a finding: one point for each cell, with its interval, and the fitted power."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from fit.estimators.estimate import Estimate


def mean_with_interval(logs: xr.DataArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return exp of the mean over seeds with its 95 % Student interval, each of the other dimensions' shape.

    NaN is left out. The interval is NaN with fewer than two values, the mean with none.
    """
    values = logs.transpose(..., "seed").values
    present = np.isfinite(values)
    count = present.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present, values, 0).sum(-1) / count
        spread = np.sqrt(np.where(present, (values - mean[..., None]) ** 2, 0).sum(-1) / (count - 1) / count)
        half = stdtrit(np.maximum(count - 1, 1), 0.975) * np.where(count > 1, spread, np.nan)
    return np.exp(mean), np.exp(mean - half), np.exp(mean + half)


def figure_points(
    width: ArrayLike,
    root_h_alpha: ArrayLike,
    y: tuple[NDArray, NDArray, NDArray],
    used: ArrayLike,
    x: str,
    y_label: str,
    estimate: Estimate | None,
    edges: tuple[float | None, float | None] = (None, None),
    abscissa: ArrayLike | None = None,
) -> xr.Dataset:
    """Return the figure's dataset (contract: `fit.Verdict.points`); points without a value are dropped.

    ``abscissa`` is the column named ``x`` where that is neither the width nor A.
    """
    value, low, high = (np.ravel(part) for part in y)
    present = np.isfinite(value)
    abscissa_column = {} if abscissa is None else {x: np.ravel(abscissa)}
    columns = {
        "width": np.ravel(width), "root_h_alpha": np.ravel(root_h_alpha),
        "y": value, "y_low": low, "y_high": high, "used": np.ravel(used), **abscissa_column,
    }  # fmt: skip
    result = xr.Dataset({name: ("point", column[present]) for name, column in columns.items()})
    result.attrs = {"x": x, "y_label": y_label, "x_log": 1, "y_log": 1}
    result.attrs |= {
        name: edge for name, edge in zip(("window_low", "window_high"), edges, strict=True) if edge is not None
    }
    if estimate is not None and result["used"].any():
        used_points = result.where(result["used"], drop=True)
        slope = estimate.value
        offset = float((np.log(used_points["y"]) - slope * np.log(used_points[x])).mean())
        result.attrs |= {"fit_exponent": slope, "fit_prefactor": float(np.exp(offset))}
    return result


def per_cell(root_h_alpha: xr.DataArray) -> tuple[NDArray, NDArray]:
    """Return the width and A of every cell, each of shape (width, amplitude)."""
    return np.broadcast_to(root_h_alpha["width"].values[:, None], root_h_alpha.shape), root_h_alpha.values
