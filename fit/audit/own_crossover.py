"""Where a model's own crossover between feature and lazy training lies, and how far from it the model is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from scipy.special import stdtrit

from fit.audit.elements import FigureOnPage, Table, number, plain
from fit.audit.interval import Interval, over_runs
from fit.audit.provenance import made_now
from fit.audit.regime import Regime, regime
from fit.audit.result import Result
from theory.curves.equivalent_amplitude import CROSSOVER_LEVEL

if TYPE_CHECKING:
    from simulate.audit.loading import Make
    from simulate.audit.training import TrainingData


@dataclass(frozen=True, repr=False)
class OwnCrossover(Result):
    """A model among scaled versions of itself, F = s·(f - f_0); the model is at s = 1."""

    name = "own_crossover"
    title = "How far is it from its crossover?"

    model: str
    verdict: Regime  #: of the model at s = 1, by its kernel change over seeds
    crossover: float | None  #: the scale at which the kernel changes by its own size; None if none was tried around it
    low: float | None  #: of its 95 % interval over seeds
    high: float | None
    data: xr.Dataset
    provenance: dict[str, Any]

    def headline(self) -> str:
        """See `Result`."""
        if self.crossover is None:
            return f"{self.model}: {self.verdict}; its crossover lies outside the scales that were tried."
        decades = -math.log10(self.crossover)
        side = "lazy" if decades > 0 else "feature"
        interval = "" if self.low is None else f" (95 %: {number(self.low)} to {number(self.high)})"
        return (
            f"{self.model}: {self.verdict}; its crossover is at an output scale of {number(self.crossover)}{interval}, "
            f"so it is {number(abs(decades), 2)} decades on the {side} side."
        )

    def tables(self) -> list[Table]:
        """See `Result`."""
        rows = []
        for scale in self.data["scale"].values:
            runs = self.data.sel(scale=scale)
            change = over_runs(runs["kernel_change"].values.tolist())
            span = f"{number(change.low)}…{number(change.high)}" if change.over == "runs" else "–"
            fitted = f"{int(runs['fitted'].sum())} of {runs.sizes['seed']}"
            rows.append((number(float(scale)), number(change.value), span, fitted, _regime(runs)))
        columns = ("output scale s", "kernel change", "95 %", "fitted", "regime")
        return [Table("By output scale", columns, tuple(rows), "F = s·(f − f₀); the model itself is at s = 1.")]

    def figures(self) -> list[FigureOnPage]:
        """See `Result`."""
        from fit.audit.figures import power_lines

        scale = self.data["scale"].values
        curves = {
            f"seed {k}": (scale, self.data["kernel_change"].isel(seed=k).values) for k in range(self.data.sizes["seed"])
        }
        caption = "Relative change of the tangent kernel against the output scale; at 1 it is the crossover."
        return [power_lines("own_crossover", curves, ("output scale s", "relative kernel change"), caption)]

    def method(self) -> list[str]:
        """See `Result`."""
        return [
            "The model was trained as F = s·(f − f₀) at every output scale s, from the same initial weights of each "
            "seed, until its loss was a tenth of that at the start, or by the function given. The crossover is where "
            "the kernel changes by its own size, between scales by a straight line of the logarithms; its interval is "
            "Student's over seeds. A "
            "model that did not fit in the steps allowed is marked, and used as it is."
        ]

    def to_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "model": self.model,
            "verdict": self.verdict,
            "crossover": plain(self.crossover),
            "ci_low": plain(self.low),
            "ci_high": plain(self.high),
            "scales": [float(scale) for scale in self.data["scale"].values],
            "kernel_change": [[plain(float(v)) for v in row] for row in self.data["kernel_change"].values],
            "fitted": [[bool(v) for v in row] for row in self.data["fitted"].values],
        }


def own_crossover(
    make: Make,
    scales: Sequence[float],
    data: TrainingData,
    *,
    name: str = "model",
    report: Callable[[float], None] | None = None,
    **options: Any,
) -> OwnCrossover:
    """Place a model in its phase diagram by training it at several output scales; s = 1 is added.

    ``options`` are those of `simulate.audit.output_scale.kernel_changes`.
    """
    from simulate.audit.output_scale import kernel_changes

    grid = sorted({*map(float, scales), 1.0})
    measured = kernel_changes(make, grid, data, report=report, **options)
    return judge_scales(measured, name, made_now())


def judge_scales(data: xr.Dataset, name: str = "model", provenance: dict | None = None) -> OwnCrossover:
    """Turn kernel changes (scale, seed) into a verdict and a crossover."""
    log_scale = np.log(data["scale"].values)
    with np.errstate(divide="ignore"):  # the kernel of a linear model does not change
        log_change = np.log(data["kernel_change"].transpose("seed", "scale").values)
    crossings = np.array([crossing(log_scale, row) for row in log_change])
    value = low = high = None
    if np.isfinite(crossings).all():
        centre = crossings.mean()
        value = float(np.exp(centre))
        if len(crossings) > 1:
            half_width = stdtrit(len(crossings) - 1, 0.975) * crossings.std(ddof=1) / math.sqrt(len(crossings))
            low, high = float(np.exp(centre - half_width)), float(np.exp(centre + half_width))
    return OwnCrossover(name, _regime(data.sel(scale=1.0)), value, low, high, data, provenance or {})


def crossing(log_scale: np.ndarray, log_change: np.ndarray) -> float:
    """Return the logarithm of the largest scale at which the kernel change passes the crossover's level; NaN if none.

    Examples
    --------
    >>> float(crossing(np.array([0.0, 2.0]), np.array([1.0, -1.0])))
    1.0
    """
    above = log_change - math.log(CROSSOVER_LEVEL)
    for i in reversed(range(len(above) - 1)):
        if above[i] >= 0 > above[i + 1]:
            share = above[i] / (above[i] - above[i + 1])
            return float(log_scale[i] + share * (log_scale[i + 1] - log_scale[i]))
    return math.nan


def _regime(runs: xr.Dataset) -> Regime:
    return regime(over_runs(runs["kernel_change"].values.tolist()), Interval(0.0, 0.0, 0.0))
