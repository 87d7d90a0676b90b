"""What the data say about one prediction, before the rule has spoken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.outcome import Outcome
from theory.prediction import Prediction

#: Fewer seeds than this give no verdict: the standard error itself is then known to no better than a factor 1.4.
MIN_SEEDS = 5
#: Fewer widths than this give no verdict on a power of h: with three, one degree of freedom is left to tell scatter
#: between widths from noise, and intervals were seen to cover 78 to 90 %.
MIN_WIDTHS = 4
MIN_AMPLITUDES = 3


@dataclass(frozen=True)
class Finding:
    """A measured exponent, or why there is none.

    A claim that is no power compared within a margin gives its ``outcome`` itself, with the ``reason`` and the p-value
    that speaks against it.
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
    refusal: str | None = None  #: why no verdict is given although there may be an estimate: a clause
    no_prediction: str | None = None  #: why the law says nothing of this experiment: a clause
    outcome: Outcome | None = None
    reason: str = ""  #: why this ``outcome``: a clause
    p_value_against: float | None = None  #: below 0.05 where ``outcome`` is "inconsistent"; for Holm's correction
    notes: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()  #: what forbids a bare "consistent" although the interval allows it: clauses

    def contradictions(self, prediction: Prediction) -> tuple[str, ...]:
        """Return a clause for each row of the sensitivity whose 95 % interval lies outside the prediction's margin."""
        exponent, margin = prediction.exponent, prediction.margin
        if exponent is None or margin is None:
            return ()
        low, high = float(exponent) - margin, float(exponent) + margin
        return tuple(
            f"{row['window']}: {row['estimate']:.3f}, outside the margin"
            for row in self.sensitivity
            if row["estimate"] is not None and (row["ci_low"] > high or row["ci_high"] < low)
        )


def not_measured(why: str) -> Finding:
    """Return the finding of a prediction whose quantity the source doesn't hold."""
    return Finding(refusal=f"not measured: {why}")
