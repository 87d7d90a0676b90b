"""What would change a verdict: how much more data, or how far the estimate would have to move."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize
from scipy.special import stdtrit

from fit.judge.verdict import Verdict

#: Where more than this many times the seeds would be needed, no number of seeds is proposed.
LARGEST_MULTIPLE_OF_SEEDS = 1000.0


def outlook(verdict: Verdict) -> str:
    """Say in a sentence what would change the outcome, computed from the interval, the margin and the rule.

    The estimate is taken to stay where it is, and the interval to fall as the inverse root of the number of seeds or,
    for a power of h, as the inverse of the range of log h. Holm's correction, which depends on all laws judged
    together, is left out: it can only ask for more.

    Returns
    -------
    str
        Empty where the verdict rests on no interval and margin, or something other than the interval withholds it: too
        few widths, say, or a drift. Its reason then says what.
    """
    numbers = (verdict.estimate, verdict.ci_low, verdict.ci_high, verdict.ci90_low, verdict.ci90_high)
    if verdict.margin is None or verdict.compared_with is None or any(n is None for n in numbers):
        return ""
    if verdict.withheld is not None or verdict.without_prediction:
        return ""
    estimate, low95, high95, low90, high90 = (float(n) for n in numbers if n is not None)
    half95, half90 = (high95 - low95) / 2, (high90 - low90) / 2
    distance = abs(estimate - verdict.compared_with)
    error = half95 / float(stdtrit(_degrees_of_freedom(half95, half90), 0.975))
    room = verdict.margin - distance
    if verdict.verdict == "consistent":
        return _distance_to_change(room - half90, error, "consistent", "away from")
    if verdict.verdict == "inconsistent":
        return _distance_to_change(-room - half95, error, "inconsistent", "towards")
    if room > half90:  # the interval is narrow enough: something else forbids a verdict, and the reason says what
        return ""
    if room > 0:
        return _needed_data(verdict, half90 / room, "consistent")
    return _needed_data(verdict, half95 / -room if room else math.inf, "inconsistent")


def _degrees_of_freedom(half95: float, half90: float) -> float:
    """Return the degrees of freedom for which Student's 95 % and 90 % intervals have these half-widths."""

    def excess(log_dof: float) -> float:
        dof = math.exp(log_dof)
        return float(stdtrit(dof, 0.975) / stdtrit(dof, 0.95)) - half95 / half90

    low, high = math.log(0.5), math.log(1e6)
    if half90 <= 0 or excess(high) >= 0:
        return 1e6
    return math.exp(optimize.brentq(excess, low, high)) if excess(low) > 0 else 0.5


def _distance_to_change(room: float, error: float, outcome: str, direction: str) -> str:
    """Say how far the estimate would have to move for the verdict to change: by ``room``; also in standard errors."""
    errors = f", {_count(room / error)} standard errors" if error > 0 else ""
    return f"It would stop being {outcome} if the estimate moved by {room:.2g}{errors}, {direction} the prediction."


def _needed_data(verdict: Verdict, shrink: float, outcome: str) -> str:
    """Say how many seeds, or which range of widths, would decide.

    ``shrink`` is how many times narrower the interval must be, ``outcome`` what the verdict would then be.
    """
    multiple = shrink**2
    if multiple > LARGEST_MULTIPLE_OF_SEEDS:
        return "The estimate sits at the edge of the margin: no feasible number of seeds would decide."
    seeds = math.ceil(multiple * max(verdict.n_seeds, 1))
    where = " at each width" if verdict.variable == "width" else ""
    text = f"{seeds} seeds{where} (now {verdict.n_seeds})"
    span = _span(verdict)
    if verdict.variable == "width" and span > 1 and span**shrink < 1e4:
        text += f", or as many as now over widths that span a factor of {span**shrink:.0f} (now {span:.0f}),"
    return f"About {text} would make it {outcome}, if the estimate stays where it is."


def _span(verdict: Verdict) -> float:
    """Return the ratio of the largest to the smallest width that the estimate is from; 1 where that is unknown."""
    if verdict.points is None:
        return 1.0
    width = verdict.points["width"].values[verdict.points["used"].values.astype(bool)]
    return float(np.max(width) / np.min(width)) if len(width) else 1.0


def _count(value: float) -> str:
    return "more than 100" if value > 100 else f"{value:.2g}"
