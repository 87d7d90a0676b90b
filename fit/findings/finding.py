"""What the data say about one prediction, before the rule has spoken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from fit.estimators.estimate import Estimate
from fit.findings.outcome import Outcome
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: Fewer seeds than this give no verdict: the standard error itself is then known to no better than a factor 1.4.
MIN_SEEDS = 5
MIN_WIDTHS = 3
MIN_AMPLITUDES = 3


@dataclass(frozen=True)
class Finding:
    """A measured exponent, or why there is none.

    ``refusal`` (a clause) forbids a verdict although there may be an estimate.
    """

    estimate: Estimate | None = None
    points: xr.Dataset | None = None
    range: dict[str, Any] = field(default_factory=dict)
    n_points: int = 0
    n_seeds: int = 0
    n_widths: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    excluded_fraction: float = 0.0
    sensitivity: list[dict[str, Any]] = field(default_factory=list)
    refusal: str | None = None
    outcome: tuple[Outcome, str] | None = None  #: for a claim with a rule of its own: the outcome, and why
    p_value_against: float | None = None  #: below 0.05 where the ``outcome`` is "inconsistent"; for Holm's correction
    notes: tuple[str, ...] = ()


def not_measured(why: str) -> Finding:
    """Return the finding of a prediction whose quantity the source doesn't hold."""
    return Finding(refusal=f"not measured: {why}")


def window(found: Measurements, prediction: Prediction) -> NDArray:
    """Return which cells (width, amplitude) lie in the regime of the prediction."""
    low, high = prediction.regime.bounds(float(found.widths.max()))
    a = found.root_h_alpha
    return (a >= low * (1 - 1e-6)) & (a <= high * (1 + 1e-6))


def range_of(cells: NDArray, found: Measurements) -> dict[str, Any]:
    """Return the range of A that ``cells`` (width, amplitude) span."""
    used = found.root_h_alpha[cells]
    if not used.size:
        return {"variable": "root_h_alpha", "low": None, "high": None}
    return {"variable": "root_h_alpha", "low": float(used.min()), "high": float(used.max())}


def exclusions(found: Measurements, cells: NDArray) -> dict[str, Any]:
    """Return how many networks in ``cells`` were left out, by reason, and their share, as keywords of a `Finding`."""
    total = int(cells.sum()) * found.n_seeds
    excluded = found.excluded(cells)
    return {"excluded": excluded, "excluded_fraction": sum(excluded.values()) / total if total else 0.0}


def trimmed(cells: NDArray, root_h_alpha: NDArray) -> list[tuple[str, NDArray]]:
    """Return the windows that are half a decade (or one grid point, if that is more) shorter at either end."""
    used = root_h_alpha[cells]
    if not used.size:
        return []
    from_low = cells & (root_h_alpha >= used.min() * np.sqrt(10) * (1 - 1e-6))
    from_high = cells & (root_h_alpha <= used.max() / np.sqrt(10) * (1 + 1e-6))
    return [("lower end trimmed", from_low), ("upper end trimmed", from_high)]


def sensitivity_row(what: str, estimate: Estimate | None) -> dict[str, Any]:
    """Return an estimate under another window as a row of plain values."""
    if estimate is None:
        return {"window": what, "estimate": None, "ci_low": None, "ci_high": None}
    low, high = estimate.interval()
    return {"window": what, "estimate": estimate.value, "ci_low": low, "ci_high": high}


def mean_with_interval(logs: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return exp of the mean over the last axis with its 95 % Student interval; NaN is left out.

    The interval is NaN with fewer than two values, the mean with none.
    """
    here = np.isfinite(logs)
    count = here.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(here, logs, 0).sum(-1) / count
        spread = np.sqrt(np.where(here, (logs - mean[..., None]) ** 2, 0).sum(-1) / (count - 1) / count)
        half = stdtrit(np.maximum(count - 1, 1), 0.975) * np.where(count > 1, spread, np.nan)
    return np.exp(mean), np.exp(mean - half), np.exp(mean + half)


def points(
    width: NDArray,
    root_h_alpha: NDArray,
    y: tuple[NDArray, NDArray, NDArray],
    used: NDArray,
    x: str,
    y_label: str,
    estimate: Estimate | None,
    edges: tuple[float | None, float | None] = (None, None),
) -> xr.Dataset:
    """Return the figure's dataset (contract: `fit.Verdict.points`); points without a value are dropped."""
    value, low, high = (np.ravel(part) for part in y)
    seen = np.isfinite(value)
    columns = {
        "width": np.ravel(width), "root_h_alpha": np.ravel(root_h_alpha),
        "y": value, "y_low": low, "y_high": high, "used": np.ravel(used),
    }  # fmt: skip
    result = xr.Dataset({name: ("point", column[seen]) for name, column in columns.items()})
    result.attrs = {"x": x, "y_label": y_label, "x_log": 1, "y_log": 1}
    result.attrs |= {
        name: edge for name, edge in zip(("window_low", "window_high"), edges, strict=True) if edge is not None
    }
    if estimate is not None and result["used"].any():
        chosen = result.where(result["used"], drop=True)
        slope = estimate.value
        offset = float((np.log(chosen["y"]) - slope * np.log(chosen[x])).mean())
        result.attrs |= {"fit_exponent": slope, "fit_prefactor": float(np.exp(offset))}
    return result
