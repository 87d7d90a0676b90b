"""The rule that turns an interval into an outcome.

With a margin m fixed beforehand, an exponent p is called

- consistent: the 90 % interval lies inside [p - m, p + m] (two one-sided tests at 5 %);
- inconsistent: the 95 % interval lies wholly outside, after Holm's correction for all claims tested at once;
- inconclusive: anything else, too few data included.
"""

from __future__ import annotations

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests

from fit.estimators.estimate import Estimate
from fit.findings.outcome import LEVEL, Outcome

#: appended to the reason of what is significant alone, but not among all claims (Holm)
NOT_SIGNIFICANT_TOGETHER = "but not significantly after the correction for testing all claims at once"


def significant(p_values: Sequence[float]) -> list[bool]:
    """Return which p-values are significant at 5 % after Holm's correction."""
    if not p_values:
        return []
    return multipletests(p_values, alpha=LEVEL, method="holm")[0].tolist()


def decide(
    estimate: Estimate, predicted: float, margin: float, rejected: bool, predicted_text: str
) -> tuple[Outcome, str]:
    """Return the outcome and the sentence that says why.

    Parameters
    ----------
    estimate : Estimate
    predicted, margin : float
    rejected : bool
        Whether the null "the exponent lies within the margin" (`Estimate.p_value_within`) is rejected, after Holm's
        correction for all claims tested at once (`significant`).
    predicted_text : str
        The predicted exponent as text.
    """
    low, high = predicted - margin, predicted + margin
    ci90, ci95 = estimate.interval(0.90), estimate.interval(0.95)
    band = f"{predicted_text} ± {margin:.3g}"
    if low <= ci90[0] and ci90[1] <= high:
        return "consistent", f"the 90 % interval [{ci90[0]:.3f}, {ci90[1]:.3f}] lies inside {band}"
    span = f"the 95 % interval [{ci95[0]:.3f}, {ci95[1]:.3f}]"
    if rejected:
        return "inconsistent", f"{span} lies wholly outside {band}"
    if ci95[0] > high or ci95[1] < low:
        return "inconclusive", f"{span} lies outside {band}, {NOT_SIGNIFICANT_TOGETHER}"
    if low <= estimate.value <= high:
        if ci90[1] - ci90[0] > high - low:
            return "inconclusive", f"{span} is wider than {band}, so that more seeds or widths are needed"
        near_edge = f"the estimate {estimate.value:.3f} lies inside {band}, but so near its edge that the 90 % interval"
        return "inconclusive", f"{near_edge} [{ci90[0]:.3f}, {ci90[1]:.3f}] crosses it"
    return "inconclusive", f"the estimate {estimate.value:.3f} lies outside {band}, but {span} overlaps it"
