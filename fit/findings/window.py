"""Which networks a law is about: the cells (width, amplitude) of its regime, and the networks left out of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from fit.estimators.estimate import Estimate
from fit.measurements.measurements import SAME_AMPLITUDE, Measurements
from theory.prediction import Prediction

#: The ends of a window, relative: tables round alpha to a few digits.
EDGE = SAME_AMPLITUDE


def window(experiment: Measurements, prediction: Prediction) -> xr.DataArray:
    """Return which cells, (width, amplitude), lie in the regime of the prediction.

    No width is judged beyond its own upper edge. The lower edge is the highest of all widths, so that the window begins
    at the same amplitude for all of them.
    """
    a = experiment.root_h_alpha
    low, high = np.transpose([prediction.regime.bounds(float(width)) for width in experiment.widths])
    return (a >= low.max() * (1 - EDGE)) & (a <= a["width"].copy(data=high) * (1 + EDGE))


def whole_grid(experiment: Measurements) -> xr.DataArray:
    """Return all cells, (width, amplitude)."""
    return xr.ones_like(experiment.root_h_alpha, dtype=bool)


def trimmed(cells: xr.DataArray, root_h_alpha: xr.DataArray) -> list[tuple[str, xr.DataArray]]:
    """Return the windows that are half a decade (or one grid point, if that is more) shorter at either end."""
    used = root_h_alpha.values[cells.values]
    if not used.size:
        return []
    from_low = cells & (root_h_alpha >= used.min() * np.sqrt(10) * (1 - EDGE))
    from_high = cells & (root_h_alpha <= used.max() / np.sqrt(10) * (1 + EDGE))
    return [("lower end trimmed", from_low), ("upper end trimmed", from_high)]


def range_of(cells: xr.DataArray, experiment: Measurements) -> dict[str, Any]:
    """Return the range of A that ``cells``, (width, amplitude), span."""
    used = experiment.root_h_alpha.values[cells.values]
    if not used.size:
        return {"variable": "root_h_alpha", "low": None, "high": None}
    return {"variable": "root_h_alpha", "low": float(used.min()), "high": float(used.max())}


def left_out_networks(experiment: Measurements, cells: xr.DataArray, quantity: str | None = None) -> dict[str, Any]:
    """Return how many networks in ``cells`` were left out, by reason, and their share, as keywords of a `Finding`.

    ``quantity``: the variable whose logarithm is taken, if it is one of the source.
    """
    total = int(cells.sum()) * experiment.n_seeds
    left_out = experiment.left_out(cells, quantity)
    return {"left_out": left_out, "left_out_fraction": sum(left_out.values()) / total if total else 0.0}


def sensitivity_row(name: str, estimate: Estimate | None) -> dict[str, Any]:
    """Return an estimate under another choice of window or model, its ``name``, as a row of plain values."""
    if estimate is None:
        return {"window": name, "estimate": None, "ci_low": None, "ci_high": None}
    low, high = estimate.interval()
    return {"window": name, "estimate": estimate.value, "ci_low": low, "ci_high": high}
