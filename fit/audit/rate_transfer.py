"""Whether the best learning rate stays where it is as a model grows: its power of the width, and a verdict.

*transfers*: the 90 % interval of the power lies within 0 ± MARGIN; *does not transfer*: the 95 % interval lies wholly
outside; *not decided*: neither, or the best rate is at an end of the rates that were tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from fit.audit.elements import FigureOnPage, Table, number, plain
from fit.audit.power_of_size import slope_over_draws
from fit.audit.provenance import made_now
from fit.audit.result import Result
from fit.estimators.estimate import Estimate
from lazyrich.numbers import short
from lazyrich.wording import counted, listed

if TYPE_CHECKING:
    from simulate.audit.loading import Make
    from simulate.audit.transfer import Train

Transfer = Literal["transfers", "does not transfer", "not decided"]

MARGIN = 0.1


@dataclass(frozen=True, repr=False)
class RateTransfer(Result):
    """How the best learning rate depends on the width."""

    name = "rate_transfer"
    title = "Does the learning rate transfer?"

    model: str
    verdict: Transfer
    reason: str
    power: float | None
    low: float | None  #: of the 95 % interval
    high: float | None
    best: xr.DataArray  #: rate, (size, seed); NaN where it is at an end of the grid
    losses: xr.DataArray  #: (size, seed, rate)
    provenance: dict[str, Any]

    def headline(self) -> str:
        """See `Result`."""
        return f"{self.model}: the learning rate {_SAYS[self.verdict]} — {self.reason}."

    def tables(self) -> list[Table]:
        """See `Result`."""
        rows = []
        for size in self.losses["size"].values:
            best, losses = self.best.sel(size=size), self.losses.sel(size=size)
            known = best.dropna("seed")
            middle = math.exp(float(np.log(known).mean())) if known.size else math.nan
            rows.append((str(int(size)), number(middle), f"{known.size} of {best.size}", number(float(losses.min()))))
        note = "Best rate: geometric mean over seeds of the minimum of a parabola through the three lowest losses."
        return [Table("By width", ("width", "best rate", "inside the grid", "lowest loss"), tuple(rows), note)]

    def figures(self) -> list[FigureOnPage]:
        """See `Result`."""
        from fit.audit.figures import power_lines

        curves = {}
        for size in self.losses["size"].values:
            mean = self.losses.sel(size=size).transpose("seed", "rate").values.mean(axis=0)
            finite = np.isfinite(mean) & (mean > 0)
            curves[f"width {int(size)}"] = self.losses["rate"].values[finite], mean[finite]
        caption = "Loss after training against the learning rate; a rate transfers if the minima lie above one another."
        return [power_lines("rate_transfer", curves, ("learning rate", "loss after training"), caption)]

    def method(self) -> list[str]:
        """See `Result`."""
        rates = self.losses["rate"].values
        return [
            f"Each width was trained from {self.losses.sizes['seed']} initial weights at {len(rates)} rates from "
            f"{short(rates.min())} to {short(rates.max())}. The power is a regression of the logarithm of the best "
            f"rate on that of the width; transfers: its 90 % interval lies within 0 ± {MARGIN}; does not transfer: its "
            "95 % interval lies wholly outside."
        ]

    def to_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "model": self.model,
            "verdict": self.verdict,
            "reason": self.reason,
            "power": plain(self.power),
            "ci_low": plain(self.low),
            "ci_high": plain(self.high),
            "margin": MARGIN,
            "widths": [int(size) for size in self.losses["size"].values],
            "rates": [float(rate) for rate in self.losses["rate"].values],
            "best": [[plain(float(rate)) for rate in row] for row in self.best.values],
            "losses": [[[plain(float(v)) for v in row] for row in table] for table in self.losses.values],
        }


_SAYS = {"transfers": "transfers", "does not transfer": "does not transfer", "not decided": "may or may not transfer"}


def rate_transfer(
    make: Make,
    widths: Sequence[int],
    rates: Sequence[float],
    run: Train,
    *,
    seeds: int = 4,
    name: str = "model",
    report: Callable[[float], None] | None = None,
) -> RateTransfer:
    """Say whether the best learning rate depends on the width.

    Parameters
    ----------
    make : callable
        ``make(width)`` returns the model.
    rates : sequence of float
        Five or more, ascending: a dozen over two or three decades.
    run : callable
        ``run(model, rate, seed)`` trains and returns the loss.
    """
    from simulate.audit.transfer import losses

    measured = losses(make, widths, sorted(rates), run, seeds=seeds, report=report)
    return judge_transfer(measured, name, made_now())


def judge_transfer(losses: xr.DataArray, name: str = "model", provenance: dict | None = None) -> RateTransfer:
    """Turn losses (size, seed, rate) into a verdict."""
    log_rates = np.log(losses["rate"].values)
    best = np.array([[best_rate(log_rates, row) for row in table] for table in losses.values])
    array = xr.DataArray(np.exp(best), dims=("size", "seed"), coords={"size": losses["size"].values})
    estimate: Estimate | None = None
    missing = np.isnan(best)
    if not missing.any():
        sizes = np.broadcast_to(np.log(losses["size"].values.astype(float))[:, None], best.shape)
        estimate = slope_over_draws(sizes.ravel(), best.ravel())
    verdict, reason = _decide(estimate, losses, missing)
    low, high = (None, None) if estimate is None else estimate.interval(0.95)
    value = None if estimate is None else estimate.value
    return RateTransfer(name, verdict, reason, value, low, high, array, losses, provenance or {})


def best_rate(log_rates: np.ndarray, losses: np.ndarray) -> float:
    """Return the logarithm of the best rate: the vertex of a parabola through the lowest loss and its neighbours.

    NaN where the lowest loss is at an end. Where a neighbour diverged there is no parabola: the rate itself.

    Examples
    --------
    >>> grid = np.array([0.0, 1.0, 2.0, 3.0])
    >>> float(best_rate(grid, np.exp((grid - 1.2) ** 2)).__round__(12))
    1.2
    """
    i = int(np.argmin(losses))
    if i in (0, len(losses) - 1) or not np.isfinite(losses[i]):
        return math.nan
    with np.errstate(divide="ignore"):
        y, x = np.log(losses[i - 1 : i + 2]), log_rates[i - 1 : i + 2]
    if not np.isfinite(y).all():
        return float(log_rates[i])
    second, first, _ = np.polyfit(x - x[1], y, 2)
    return float(x[1] + np.clip(-first / (2 * second), x[0] - x[1], x[2] - x[1])) if second > 0 else float(x[1])


def _decide(estimate: Estimate | None, losses: xr.DataArray, missing: np.ndarray) -> tuple[Transfer, str]:
    if estimate is None:
        return "not decided", _at_an_end(losses, missing)
    (low, high), inner = estimate.interval(0.95), estimate.interval(0.90)
    says = f"the best rate goes as the power {estimate.value:z.2f} of the width (95 %: {low:z.2f} to {high:z.2f})"
    says = says.replace("-", "−")
    if inner[0] >= -MARGIN and inner[1] <= MARGIN:
        return "transfers", says
    if low > MARGIN or high < -MARGIN:
        return "does not transfer", says
    return "not decided", f"{says}, which neither lies within 0 ± {MARGIN} nor outside"


def _at_an_end(losses: xr.DataArray, missing: np.ndarray) -> str:
    """Say which best rates are at an end of the rates that were tried, and at which."""
    rates = losses["rate"].values
    finite = np.where(np.isfinite(losses.values), losses.values, np.inf)
    lowest, diverged = finite.argmin(axis=-1), ~np.isfinite(finite).any(axis=-1)
    reason = f"of {counted(missing.size, 'best rate')} {missing.sum()} are not inside the rates that were tried"
    ends = {
        f"above {short(rates[-1])}": missing & ~diverged & (lowest == len(rates) - 1),
        f"below {short(rates[0])}": missing & ~diverged & (lowest == 0),
    }
    for end, is_there in ends.items():
        if is_there.any():
            widths = losses["size"].values[is_there.any(axis=1)]
            noun = "width" if len(widths) == 1 else "widths"
            reason += f"; at {noun} {listed([str(int(width)) for width in widths])} give --rates {end} too"
    return f"{reason}; no rate has a finite loss in {diverged.sum()} cases" if diverged.any() else reason
