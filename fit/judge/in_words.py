"""What a table says of a verdict in a few words: what is predicted, how far off it is, and why nothing was decided."""

from __future__ import annotations

from fit.judge.verdict import Verdict
from lazyrich.numbers import number, p_is, power, short
from theory.prediction import Form


def predicted_text(verdict: Verdict) -> str:
    """Return the predicted power, or what is predicted instead."""
    if verdict.predicted is not None:
        return power(verdict.predicted)
    if verdict.not_claimed_because is not None:
        return "–"
    if verdict.form is Form.POWER_WITH_LOGARITHMS:
        return f"{power(verdict.leading_exponent)}, with logs"
    return verdict.stands_for_power or ("A ln(1/A)" if verdict.form is Form.LOGARITHM else "–")


def distance_text(verdict: Verdict) -> str:
    """Return how far the estimate is from the exact prediction, where its 95 % interval excludes that; else nothing."""
    if verdict.p_value is None or verdict.p_value >= 0.05 or not verdict.standard_error:
        return ""
    assert verdict.estimate is not None
    assert verdict.compared_with is not None
    errors = (verdict.estimate - verdict.compared_with) / verdict.standard_error
    return f"{number(errors, 1)} s.e., {p_is(verdict.p_value)}"


def short_reason(verdict: Verdict) -> str:
    """Say in a few words why nothing was decided; empty for a decided verdict.

    Computed from the verdict's numbers; ``verdict.reason`` is the whole sentence.
    """
    if verdict.verdict != "inconclusive":
        return ""
    if verdict.without_prediction:
        no_law = "theory gives no law" if verdict.not_claimed_because else "a power with logarithms is not judged"
        return verdict.in_short or no_law
    return verdict.in_short or _against_margin(verdict)


def _against_margin(verdict: Verdict) -> str:
    if verdict.estimate is None or verdict.ci_low is None or verdict.ci_high is None:
        return "no interval"
    if verdict.margin is None:
        return "no margin is given"
    if verdict.compared_with is None:
        return "no number is predicted"
    estimate, predicted, margin = verdict.estimate, verdict.compared_with, verdict.margin
    low, high = verdict.ci_low, verdict.ci_high
    half, distance = (high - low) / 2, abs(estimate - predicted)
    if low > predicted + margin or high < predicted - margin:
        return "outside the margin, not after Holm's correction"
    if half > margin:
        return f"± {number(half, 2)} exceeds the margin {short(margin)}"
    if distance > margin:
        return f"off by {number(distance, 2)}, margin {short(margin)}"
    return "at the edge of the margin"
