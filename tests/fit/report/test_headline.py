"""One row a law: the gravest word, and the measurement that speaks most against it."""

import dataclasses

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.report.headline import headlines


@pytest.fixture(scope="module")
def row():
    """A verdict to be given other numbers."""
    return next(v for v in assess(tree(experiment())) if v.claim == "kernel_change_feature")


def with_numbers(row, name, estimate, half, word):
    return dataclasses.replace(
        row, experiment=name, estimate=estimate, ci_low=estimate - half, ci_high=estimate + half, verdict=word
    )


def test_the_gravest_decided_word_stands_with_how_many_say_so(row):
    members = [
        with_numbers(row, "a", -1.50, 0.01, "consistent"),
        with_numbers(row, "b", -1.53, 0.01, "consistent"),
        with_numbers(row, "c", -1.90, 0.01, "inconsistent"),
        with_numbers(row, "d", -3.00, 2.00, "inconclusive"),
    ]
    (only,) = headlines(members)
    assert (only.word, only.shown.experiment, only.tally) == ("inconsistent", "c", "in 1 of 4")
    (agreed,) = headlines(members[:2])
    assert (agreed.word, agreed.shown.experiment, agreed.tally) == ("consistent", "b", "")


def test_where_nothing_is_decided_the_most_precise_measurement_is_shown(row):
    members = [with_numbers(row, "wide", -5.0, 9.0, "inconclusive"), with_numbers(row, "b", -1.4, 0.2, "inconclusive")]
    (only,) = headlines(members)
    assert (only.word, only.shown.experiment) == ("inconclusive", "b")


def test_different_predictions_are_different_rows(row):
    other = dataclasses.replace(row, experiment="L1", predicted="-1", predicted_value=-1.0)
    assert len(headlines([row, other])) == 2
