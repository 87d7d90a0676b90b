"""What the data say about one prediction, before the rule turns it into a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.outcome import Outcome
from lazyrich.wording import counted
from theory.prediction import Prediction

#: With fewer seeds there is no verdict: the standard error itself is then known to no better than a factor 1.4.
MIN_SEEDS = 5
#: With fewer widths there is no verdict on a power of h: with three, one degree of freedom is left to tell scatter
#: between widths from noise, and intervals were seen to cover 78 to 90 %.
MIN_WIDTHS = 4
#: With fewer amplitudes there is no verdict on a power of A.
MIN_AMPLITUDES = 3
#: `Finding.in_short` where the source lacks the quantity, or what theory computes the prediction from
NOT_MEASURED, NOT_COMPUTED = "not measured", "not computed"


@dataclass(frozen=True)
class Minimum:
    """What an experiment has to have for a verdict, where it has less: numbers, and values of A."""

    seeds: int = 0  #: at each width, with networks that fit
    widths: int = 0
    amplitudes: int = 0  #: in the window
    root_h_alpha: tuple[float, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A measured exponent, or why there is none.

    A claim that is not a power compared within a margin decides its ``outcome`` itself, with the ``reason`` and the
    p-value against the prediction.
    """

    estimate: Estimate | None = None
    points: xr.Dataset | None = None
    range: dict[str, Any] = field(default_factory=dict)
    n_points: int = 0
    n_seeds: int = 0
    n_widths: int = 0
    left_out: dict[str, int] = field(default_factory=dict)  #: why networks were left out -> how many
    left_out_fraction: float = 0.0
    #: by how much the estimate is off in the worst case, if networks were left out for the size of what is measured
    shift_by_left_out: float = 0.0
    sensitivity: list[dict[str, Any]] = field(default_factory=list)
    undecided_because: str | None = None  #: why there is no verdict although there may be an estimate: a clause
    in_short: str = ""  #: why it is undecided, in a few words for tables; empty where margin and interval say it
    minimum: Minimum | None = None  #: what is needed where too few data are the reason
    not_claimed_because: str | None = None  #: why theory makes no claim for this experiment: a clause
    outcome: Outcome | None = None
    reason: str = ""  #: why this ``outcome``: a clause
    p_value_against: float | None = None  #: is below 0.05 where ``outcome`` is "inconsistent"; enters Holm's correction
    compared_with: float | None = None  #: the number that the estimate would be, where the law is no power
    #: an estimate whose sign decides: consistent where its 90 % interval is at most 0, inconsistent where it is above
    contrast: Estimate | None = None
    #: between draws of the training points: draws, standard_deviation, and standard_error over initial weights
    between_draws: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    #: why it is not "consistent" although the interval lies inside the margin: clauses
    reservations: tuple[str, ...] = ()

    def contradictions(self, prediction: Prediction) -> tuple[str, ...]:
        """Return a clause for each row of the sensitivity whose 95 % interval lies outside the prediction's margin."""
        exponent, margin = prediction.exponent, prediction.margin
        if exponent is None or margin is None:
            return ()
        low, high = float(exponent) - margin, float(exponent) + margin
        return tuple(
            f"another choice ({row['window']}) gives an estimate outside the margin, {row['estimate']:.3f}"
            for row in self.sensitivity
            if row["estimate"] is not None and (row["ci_low"] > high or row["ci_high"] < low)
        )


def too_few(count: int, needed: int, noun: str) -> str:
    """Return in a few words that there are too few of something.

    Examples
    --------
    >>> too_few(2, 5, "seed"), too_few(1, 4, "width")
    ('2 seeds of 5', '1 width of 4')
    """
    return f"{counted(count, noun)} of {needed}"


def not_measured(why: str) -> Finding:
    """Return the finding about a prediction that can't be measured: ``why`` is a clause."""
    return Finding(undecided_because=f"not measured: {why}", in_short=NOT_MEASURED)
