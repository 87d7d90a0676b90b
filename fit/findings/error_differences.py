"""Differences of test errors: what the claims about them have in common.

Within one experiment intervals are over initial weights, conditional on its draw of the training points; over several
draws see `fit.findings.draws`. Differences of test errors are written in percentage points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.estimators.levels import mean_over_levels
from fit.findings.finding import MIN_SEEDS, Finding, Minimum, too_few
from fit.findings.networks import pairs, width_of_pairs
from fit.findings.outcome import LEVEL, Outcome
from fit.findings.window import left_out_networks, range_of
from fit.measurements.measurements import Measurements


def mean_in_cells(values: xr.DataArray, cells: xr.DataArray) -> xr.DataArray:
    """Return the mean over each width's amplitudes in ``cells``, (width, seed); NaN where one is missing."""
    count = cells.sum("amplitude")
    total = xr.where(cells, values, 0.0).sum("amplitude", skipna=False).transpose("width", "seed")
    return (total / count.where(count > 0)).transpose("width", "seed")


def mean_over_pairs(values: xr.DataArray) -> Estimate | None:
    """Return the mean of one value a pair (width, seed); None where no width has two.

    The widths measured are fixed levels: errors differ between them, and the claim is about these.
    """
    return mean_over_levels(pairs(values), width_of_pairs(values))


def data_used(experiment: Measurements, cells: xr.DataArray, complete: xr.DataArray) -> dict[str, Any]:
    """Return the fields of a `Finding` that say what it rests on; ``complete``: which pairs (width, seed) are."""
    return {
        "range": range_of(cells, experiment),
        "n_points": int(complete.sum()),
        "n_seeds": int(complete.sum("seed").max()),
        "n_widths": int(complete.any("seed").sum()),
        **left_out_networks(experiment, cells),
    }


def too_few_seeds(counted_seeds: str, used: dict[str, Any]) -> str:
    """Return why a finding with the data ``used`` (see `data_used`) is undecided: ``counted_seeds`` says of which."""
    return f"{used['n_seeds']} {counted_seeds}, and {MIN_SEEDS} are needed"


def undecided_for_seeds(counted_seeds: str, used: dict[str, Any], estimate: Estimate | None = None) -> Finding:
    """Return the finding where the data ``used`` (see `data_used`) hold too few seeds; ``counted_seeds``: which."""
    return Finding(
        estimate=estimate,
        undecided_because=too_few_seeds(counted_seeds, used),
        in_short=too_few(used["n_seeds"], MIN_SEEDS, "seed"),
        minimum=Minimum(MIN_SEEDS, 1, 1),
        **used,
    )


def percentage_points(difference: float) -> str:
    """Return a difference of test errors, a fraction, with its sign in percentage points."""
    return f"{100 * difference:+.2f}"


def decide_sign(positive_if_predicted: Estimate, measured: str) -> tuple[Outcome, str, float]:
    """Return the outcome of an estimate that is predicted to be positive, its reason, and the p-value against it.

    ``measured`` is the clause that states the measurement.
    """
    p_value_against = positive_if_predicted.p_value_at_least(0.0)
    if positive_if_predicted.interval(0.90)[0] > 0:
        return "consistent", measured, p_value_against
    if p_value_against < LEVEL:
        return "inconsistent", measured, p_value_against
    return "inconclusive", f"{measured}: the interval includes zero", p_value_against


def judge_excess_error(
    tests: Sequence[Estimate | None],
    excess: Estimate | None,
    gap: Estimate,
    allowed: float,
    compared: str,
    gap_meaning: str,
    used: dict[str, Any],
) -> Finding:
    """Judge whether the ``excess`` of a test error over a reference is at most ``allowed`` of the ``gap``.

    Parameters
    ----------
    tests : sequence of Estimate
        Of excess - allowed·gap (and -excess - allowed·gap, where an excess below zero counts too): they are linear in
        the pairs, so that no ratio of noisy means needs an interval.
    excess, gap : Estimate
        The test error less that of the reference, and that of the worse alternative less that of the reference.
    allowed : float
    compared, gap_meaning : str
        What has the excess over what ("the final kernel over the network"), and whose excess the gap is: clauses.
    used : dict
        See `data_used`.
    """
    known = [test for test in tests if test is not None]
    if excess is None or len(known) < len(tests):
        return undecided_for_seeds("seeds allow the comparison", used)
    if gap.interval(0.90)[0] <= 0:
        return Finding(
            undecided_because=f"there is no gap to measure against: {gap_meaning} is {percentage_points(gap.value)} "
            "percentage points, zero within its error",
            in_short="no gap to compare with",
            **used,
        )
    measured = (
        f"the excess test error of {compared} is {percentage_points(excess.value)} percentage points; {gap_meaning} is "
        f"{percentage_points(gap.value)}"
    )
    contrast = max(known, key=lambda test: test.value)
    p_value_against = min(test.p_value_at_most(0.0) for test in known)
    outcome: Outcome = "inconclusive"
    reason = f"{measured}, and the interval of their ratio includes the largest one allowed, {allowed:.0%}"
    if all(test.interval(0.90)[1] <= 0 for test in known):
        outcome, reason = "consistent", f"{measured}, so that their ratio is below {allowed:.0%} at 95 % confidence"
    elif p_value_against < LEVEL:
        outcome, reason = "inconsistent", f"{measured}, so that their ratio is above {allowed:.0%}"
    return Finding(
        estimate=ratio(excess, gap), outcome=outcome, reason=reason, in_short=f"the interval includes {allowed:g}",
        p_value_against=p_value_against, contrast=contrast, notes=excess.notes, **used,
    )  # fmt: skip


def ratio(excess: Estimate | None, gap: Estimate | None) -> Estimate | None:
    """Return excess/gap by the delta method, for tables: verdicts come from tests. None where there is no gap."""
    if excess is None or gap is None or gap.interval(0.90)[0] <= 0:
        return None
    value = excess.value / gap.value
    error = math.hypot(excess.standard_error, value * gap.standard_error) / gap.value
    return Estimate(value, error, min(excess.dof, gap.dof), n_clusters=excess.n_clusters)


def fraction_wrong(outputs: xr.DataArray, label: xr.DataArray) -> xr.DataArray:
    """Return the fraction of test points whose output has the wrong sign; the dimension ``test_point`` is averaged."""
    return (outputs * label <= 0).mean("test_point")
