"""Intervals of positive quantities, over runs or, of one run, over its probe points."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

LEVEL = 0.95

Source = Literal["runs", "probe points", "none"]


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval, and over what it was taken; "none": the value alone."""

    value: float
    low: float
    high: float
    over: Source = "none"


def over_runs(values: Sequence[float]) -> Interval:
    """Geometric mean of positive values and Student's interval of their logarithms.

    One value has no interval. Where a value is zero, logarithms say nothing: the mean and the range are given.
    """
    sample = np.asarray(values, dtype=float)
    if len(sample) == 1:
        return Interval(float(sample[0]), float(sample[0]), float(sample[0]))
    if not (sample > 0).all():
        return Interval(float(sample.mean()), float(sample.min()), float(sample.max()), "runs")
    logs = np.log(sample)
    return _exponential(logs.mean(), logs.std(ddof=1) / math.sqrt(len(logs)), len(logs) - 1, "runs")


def over_points(count: int, statistic: Callable[[NDArray[np.intp]], float]) -> Interval:
    """Jackknife over the probe points: ``statistic`` takes the indices of those that are left.

    The interval is Student's, of the logarithm: what other points from the same distribution would give.
    """
    everything = np.arange(count)
    value = statistic(everything)
    left_out = np.array([statistic(np.delete(everything, i)) for i in range(count)])
    if count < 3 or not value > 0 or not (left_out > 0).all():
        return Interval(value, value, value)
    logs = np.log(left_out)
    error = math.sqrt((count - 1) / count * float(np.sum((logs - logs.mean()) ** 2)))
    return _exponential(math.log(value), error, count - 1, "probe points")


def _exponential(centre: float, error: float, freedom: float, over: Source) -> Interval:
    half = float(stdtrit(freedom, 0.5 + LEVEL / 2)) * error
    with np.errstate(over="ignore"):
        return Interval(math.exp(centre), float(np.exp(centre - half)), float(np.exp(centre + half)), over)
