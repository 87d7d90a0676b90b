"""What would change a verdict follows from the interval, the margin and the rule: applied, it does."""

import dataclasses
import re

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.estimators.estimate import Estimate
from fit.judge.decision import decide, significant
from fit.judge.outlook import outlook


@pytest.fixture(scope="module")
def row():
    """A verdict to be given other numbers."""
    return next(v for v in assess(tree(experiment())) if v.claim == "fluctuations" and v.estimate is not None)


def with_numbers(row, estimate, seeds, word):
    (low, high), (low90, high90) = estimate.interval(0.95), estimate.interval(0.90)
    return dataclasses.replace(
        row, estimate=estimate.value, ci_low=low, ci_high=high, ci90_low=low90, ci90_high=high90, compared_with=-0.5,
        margin=0.1, n_seeds=seeds, verdict=word,
    )  # fmt: skip


@pytest.mark.parametrize(("value", "promised"), [(-0.47, "consistent"), (-0.75, "inconsistent")])
def test_as_many_seeds_as_it_says_decide(row, value, promised):
    estimate = Estimate(value, 0.12, 40)
    assert decide(estimate, -0.5, 0.1, False, "-1/2")[0] == "inconclusive"
    told = outlook(with_numbers(row, estimate, 10, "inconclusive"))
    assert promised in told.split()[-7:] or f"make it {promised}" in told
    seeds = int(re.match(r"About (\d+) seeds", told).group(1))
    more = Estimate(value, 0.12 * (10 / seeds) ** 0.5, 40)
    assert decide(more, -0.5, 0.1, True, "-1/2")[0] == promised
    fewer = Estimate(value, 0.12 * (10 / (0.9 * seeds)) ** 0.5, 40)
    assert decide(fewer, -0.5, 0.1, False, "-1/2")[0] == "inconclusive"


@pytest.mark.parametrize(("value", "word", "towards"), [(-0.46, "consistent", 1), (-0.9, "inconsistent", 1)])
def test_a_verdict_holds_until_the_estimate_moves_as_far_as_it_says(row, value, word, towards):
    estimate = Estimate(value, 0.02, 30)
    assert decide(estimate, -0.5, 0.1, True, "-1/2")[0] == word
    told = outlook(with_numbers(row, estimate, 10, word))
    room = float(re.search(r"moved by ([\d.e-]+)", told).group(1))
    for moved, expected in ((0.95, True), (1.1, False)):
        there = dataclasses.replace(estimate, value=value + towards * moved * room)
        assert (
            decide(there, -0.5, 0.1, significant([there.p_value_within(-0.5, 0.1)])[0], "-1/2")[0] == word
        ) is expected


def test_an_estimate_at_the_edge_of_its_margin_is_said_to_be_undecidable(row):
    assert "no feasible number" in outlook(with_numbers(row, Estimate(-0.4001, 0.05, 20), 10, "inconclusive"))


def test_without_an_interval_there_is_nothing_to_say(row):
    assert outlook(dataclasses.replace(row, estimate=None)) == ""
    assert outlook(dataclasses.replace(row, margin=None)) == ""


@pytest.mark.parametrize(
    "changes", [{"withheld": "3 widths can't show a power of h, and 4 are needed"}, {"not_claimed_because": "a reason"}]
)
def test_no_number_of_seeds_is_proposed_where_seeds_are_not_what_is_missing(row, changes):
    undecided = with_numbers(row, Estimate(-0.47, 0.12, 40), 10, "inconclusive")
    assert "seeds" in outlook(undecided)
    assert outlook(dataclasses.replace(undecided, **changes)) == ""
