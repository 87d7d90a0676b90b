"""Differences of test errors: what the claims about them have in common.

All intervals are over initial weights, conditional on the one data set: they do not say how another draw of training
points would decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.outcome import LEVEL, Outcome
from fit.findings.window import exclusions, range_of
from fit.measurements.measurements import Measurements


def mean_in_cells(values: xr.DataArray, cells: xr.DataArray) -> xr.DataArray:
    """Return the mean over each width's amplitudes in ``cells``, (width, seed); NaN where one is missing."""
    count = cells.sum("amplitude")
    total = xr.where(cells, values, 0.0).sum("amplitude", skipna=False).transpose("width", "seed")
    return (total / count.where(count > 0)).transpose("width", "seed")


def counts(experiment: Measurements, cells: xr.DataArray, complete: xr.DataArray) -> dict[str, Any]:
    """Return what a finding says of its data, as its keywords; ``complete``: which pairs (width, seed) are."""
    return {
        "range": range_of(cells, experiment),
        "n_points": int(complete.sum()),
        "n_seeds": int(complete.sum("seed").max()),
        "n_widths": int(complete.any("seed").sum()),
        **exclusions(experiment, cells),
    }


def too_few(what: str, data: dict[str, Any]) -> str:
    """Return the refusal of a finding whose data, `counts`, hold too few seeds."""
    return f"{data['n_seeds']} {what}, and {MIN_SEEDS} are needed"


def one_sided(towards: Estimate, numbers: str) -> tuple[Outcome, str, float]:
    """Return the outcome of an estimate that is predicted to be positive, its reason, and the p-value against it."""
    against = towards.p_value_at_least(0.0)
    if towards.interval(0.90)[0] > 0:
        return "consistent", numbers, against
    if against < LEVEL:
        return "inconsistent", numbers, against
    return "inconclusive", f"{numbers}: the interval includes none", against


def missed_share(
    tests: Sequence[Estimate | None],
    missed: Estimate | None,
    gained: Estimate,
    allowed: float,
    what: str,
    than: str,
    data: dict[str, Any],
) -> Finding:
    """Judge whether ``missed`` is at most ``allowed`` of ``gained``.

    ``tests`` estimate missed - allowed·gained (and -missed - allowed·gained): they are linear in the pairs, so that no
    ratio of noisy means needs an interval.
    """
    known = [test for test in tests if test is not None]
    if missed is None or len(known) < len(tests):
        return Finding(refusal=too_few("complete comparisons", data), **data)
    if gained.interval(0.90)[0] <= 0:
        return Finding(
            refusal=f"nothing to reproduce: the contrast is {gained.value:+.2%} of test error, 0 within errors", **data
        )
    numbers = (
        f"{what} misses {missed.value:+.2%} of test error against the {than}, where {gained.value:+.2%} are to be had"
    )
    against = min(test.p_value_at_most(0.0) for test in known)
    outcome: Outcome = "inconclusive"
    reason = f"{numbers}: the interval of that includes {allowed:.0%}"
    if all(test.interval(0.90)[1] <= 0 for test in known):
        outcome, reason = "consistent", f"{numbers}: no more than {allowed:.0%} of it, with 95 % confidence"
    elif against < LEVEL:
        outcome, reason = "inconsistent", f"{numbers}: more than {allowed:.0%} of it"
    return Finding(
        estimate=ratio(missed, gained), outcome=outcome, reason=reason, p_value_against=against, **data
    )  # fmt: skip


def ratio(missed: Estimate | None, gained: Estimate | None) -> Estimate | None:
    """Return missed/gained by the delta method, for tables: verdicts come from tests. None where nothing is gained."""
    if missed is None or gained is None or gained.interval(0.90)[0] <= 0:
        return None
    share = missed.value / gained.value
    error = math.hypot(missed.standard_error, share * gained.standard_error) / gained.value
    return Estimate(share, error, min(missed.dof, gained.dof), n_clusters=missed.n_clusters)


def errors_of(outputs: xr.DataArray, label: xr.DataArray) -> xr.DataArray:
    """Return the share of test points whose sign is wrong; the dimension ``test_point`` goes."""
    return (outputs * label <= 0).mean("test_point")
