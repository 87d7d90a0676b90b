"""The rule that turns a kernel change and a linearised model's share into a word.

- *lazy*: the kernel changed less than that of the simplest network half a decade on the lazy side of its crossover, and
  the linearised model explains 90 % of the change of the outputs;
- *learns features*: the kernel changed by more than its own size, the crossover's level;
- *between*: neither, and the intervals lie wholly between these levels, or the kernel says lazy and the linearised
  model does not;
- *not decided*: an interval crosses a level, or the parameters have no effect on the outputs.

The levels are `theory.curves.equivalent_amplitude`'s.
"""

from __future__ import annotations

import math
from typing import Literal

from fit.audit.elements import number, percent
from fit.audit.interval import Interval
from theory.curves.equivalent_amplitude import CROSSOVER_LEVEL, LAZY_LEVEL, LINEAR_SHARE

Regime = Literal["lazy", "learns features", "between", "not decided"]


def regime(kernel_change: Interval, unexplained: Interval) -> Regime:
    """Return the verdict.

    Parameters
    ----------
    kernel_change : Interval
        ||Theta_T - Theta_0||_F/||Theta_0||_F.
    unexplained : Interval
        The share of the change of the outputs that the linearised model does not explain.
    """
    if math.isnan(kernel_change.value):
        return "not decided"
    most_unexplained = 1 - LINEAR_SHARE
    if kernel_change.low > CROSSOVER_LEVEL:
        return "learns features"
    if kernel_change.high >= CROSSOVER_LEVEL:
        return "not decided"
    if kernel_change.low > LAZY_LEVEL or unexplained.low > most_unexplained:
        return "between"
    if kernel_change.high <= LAZY_LEVEL and unexplained.high <= most_unexplained:
        return "lazy"
    return "not decided"


def reason(verdict: Regime, kernel_change: Interval, unexplained: Interval) -> str:
    """Say why, with the numbers that decided."""
    if math.isnan(kernel_change.value):
        return "its parameters have no effect on the outputs at the probe points, before training or after"
    kernel = f"the kernel changed by {number(kernel_change.value)} times its size"
    share = f"the linearised model explains {percent(1 - unexplained.value)} of the change"
    span = f" (95 %: {number(kernel_change.low)} to {number(kernel_change.high)}, over {kernel_change.over})"
    if kernel_change.over != "none":
        kernel += span
    match verdict:
        case "learns features":
            return f"{kernel}, more than {CROSSOVER_LEVEL:g}, the crossover"
        case "lazy":
            return f"{kernel}, at most {LAZY_LEVEL:.3f}, and {share}, at least {LINEAR_SHARE * 100:g} %"
        case "between":
            return f"{kernel}, less than {CROSSOVER_LEVEL:g}, and {share}"
        case _:
            return f"{kernel}, and an interval crosses a level ({LAZY_LEVEL:.3f} or {CROSSOVER_LEVEL:g}); {share}"
