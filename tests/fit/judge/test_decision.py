"""The rule of the verdict, and what it makes of several claims at once."""

import pytest

from fit.estimators.estimate import Estimate
from fit.judge.decision import decide, significant


def word(value, error, margin=0.1, dof=1000):
    estimate = Estimate(value, error, dof)
    return decide(estimate, -0.5, margin, significant([estimate.p_value_within(-0.5, margin)])[0], "-1/2")


def test_a_precise_estimate_inside_the_margin_is_consistent():
    verdict, reason = word(-0.52, 0.01)
    assert verdict == "consistent"
    assert "lies inside -1/2 ± 0.1" in reason


def test_a_precise_estimate_is_consistent_although_it_excludes_the_point():
    """A power law's correction is no refutation: the margin says what counts as the same."""
    assert word(-0.52, 0.001)[0] == "consistent"
    assert Estimate(-0.52, 0.001, 1000).p_value(-0.5) < 1e-6


def test_an_interval_outside_the_margin_is_inconsistent():
    verdict, reason = word(-0.8, 0.02)
    assert verdict == "inconsistent"
    assert "wholly outside" in reason


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (-0.5, 0.2, "more seeds or widths"),
        (-0.59, 0.02, "so near its edge that the 90 % interval [-0.623, -0.557] crosses it"),
        (-0.62, 0.02, "overlaps it"),
    ],
)
def test_anything_else_is_inconclusive_and_says_why(value, error, said):
    verdict, reason = word(value, error)
    assert verdict == "inconclusive"
    assert said in reason


def test_the_rule_follows_from_the_intervals():
    """p_value_within is below 5 % exactly where the 95 % interval lies outside."""
    for value in (-0.6391, -0.6393):
        estimate = Estimate(value, 0.02, 1e9)
        assert (estimate.interval(0.95)[1] < -0.6) == (estimate.p_value_within(-0.5, 0.1) < 0.05)
    assert Estimate(-0.6391, 0.02, 1e9).p_value_within(-0.5, 0.1) > 0.05
    assert Estimate(-0.6393, 0.02, 1e9).p_value_within(-0.5, 0.1) < 0.05


def test_one_excess_among_twenty_claims_is_chance():
    """2.2 standard errors beyond the margin refute one claim alone, but not one of twenty tested at once (Holm)."""
    suspect = Estimate(-0.644, 0.02, 1e6)
    p_suspect, p_sound = (e.p_value_within(-0.5, 0.1) for e in (suspect, Estimate(-0.5, 0.02, 1e6)))
    assert significant([p_suspect]) == [True]
    assert significant([p_suspect, *[p_sound] * 19]) == [False] * 20
    assert decide(suspect, -0.5, 0.1, rejected=False, predicted_text="-1/2")[0] == "inconclusive"


def test_no_claims_are_no_tests():
    assert significant([]) == []
