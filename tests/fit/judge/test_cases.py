"""From a prediction and its finding to a verdict."""

import dataclasses

import pytest
from synthetic_campaign import FEATURE, prediction

from fit import Estimate
from fit.findings.finding import Finding
from fit.judge.cases import Case, judge

LAW = prediction("kernel_change_feature", "root_h_alpha", -1.5, FEATURE, margin=0.1)


def verdict(finding, law=LAW):
    (result,) = judge([Case("one", "store.zarr", law, finding)])
    return result


def test_numbers_of_the_finding_are_those_of_the_verdict():
    result = verdict(Finding(Estimate(-1.52, 0.01, 30), n_points=9, n_seeds=7, n_widths=3, left_out={"diverged": 2}))
    assert (result.verdict, result.predicted, result.predicted_value, result.margin) == (
        "consistent",
        "-3/2",
        -1.5,
        0.1,
    )
    assert (result.n_points, result.n_seeds, result.n_widths, result.excluded) == (9, 7, 3, {"diverged": 2})
    assert (result.ci_low, result.ci_high) == pytest.approx(Estimate(-1.52, 0.01, 30).interval())


@pytest.mark.parametrize(
    ("finding", "law", "reason"),
    [
        (Finding(), LAW, "The exponent could not be estimated from these data."),
        (Finding(Estimate(-1.5, 0.01, 9)), dataclasses.replace(LAW, margin=None),
         "The prediction states no margin, the largest difference that still counts as agreement."),
        (Finding(Estimate(-1.5, 0.01, 9)), dataclasses.replace(LAW, exponent=None),
         "Theory predicts no power to compare with (kernel_change_feature in words)."),
        (Finding(Estimate(-1.5, 0.01, 9), undecided_because="too few", notes=("a note",)), LAW, "Too few; a note."),
    ],
    ids=["no estimate", "no margin", "no power", "undecided"],
)  # fmt: skip
def test_what_can_not_be_compared_is_inconclusive_and_says_why(finding, law, reason):
    result = verdict(finding, law)
    assert (result.verdict, result.reason) == ("inconclusive", reason)


def test_many_networks_left_out_are_mentioned():
    result = verdict(Finding(Estimate(-1.5, 0.01, 30), left_out_fraction=0.2))
    assert result.reason.endswith("; 20% of the networks in the window were left out.")
    assert "left out" not in verdict(Finding(Estimate(-1.5, 0.01, 30), left_out_fraction=0.04)).reason


@pytest.mark.parametrize(
    ("value", "shift", "outcome"),
    [(-1.5, 0.05, "consistent"), (-1.5, 0.09, "inconclusive"), (-1.2, 0.1, "inconsistent"), (-1.2, 0.2, "inconclusive"),
     (-1.8, 0.1, "inconsistent"), (-1.8, 0.2, "inconclusive")],
)  # fmt: skip
def test_a_verdict_that_lost_networks_could_undo_is_not_given(value, shift, outcome):
    """The interval, ± 0.02, is moved by the shift to either side: inside or outside -1.5 ± 0.1 both times, or not."""
    finding = Finding(Estimate(value, 0.01, 30), left_out_fraction=0.2, shift_by_left_out=shift)
    result = verdict(finding)
    assert (result.verdict, result.shift_by_excluded) == (outcome, shift)
    assert result.reason.count("were left out") == 1
    if outcome == "inconclusive":
        assert result.in_short == "networks left out could move it"
        assert f"the power could be off by {shift:g}" in result.reason


def test_a_reservation_forbids_consistent_and_is_said_once():
    clause = "the outputs drift"
    result = verdict(Finding(Estimate(-1.5, 0.01, 30), reservations=(clause,), notes=(clause,)))
    assert result.verdict == "inconclusive"
    assert result.reason.count(clause) == 1


def test_theorys_reason_for_no_claim_comes_before_the_experiments():
    result = verdict(Finding(not_claimed_because="trained by Adam", undecided_because="trained by Adam"))
    assert result.outcome_in_words == "no prediction"
    assert result.not_claimed_because == "trained by Adam"
