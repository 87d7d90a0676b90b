"""One verdict: its outcome in words, and plain JSON."""

import dataclasses
import json
import math

import pytest
from synthetic_campaign import experiment, laws

from fit import assess
from theory.prediction import Form


@pytest.fixture(scope="module")
def verdict():
    return next(v for v in assess(experiment(seeds=5), laws()) if v.claim == "linear_time")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": "consistent"}, "consistent"),
        ({"verdict": "inconsistent"}, "inconsistent"),
        ({"verdict": "inconclusive"}, "undecided"),
        ({"verdict": "inconclusive", "not_claimed_because": "no law"}, "no prediction"),
        ({"verdict": "inconclusive", "form": Form.POWER_WITH_LOGARITHMS}, "no prediction"),
    ],
)
def test_undecided_is_told_from_no_prediction(verdict, changes, words):
    assert dataclasses.replace(verdict, **changes).outcome_in_words == words


def test_json_has_no_nan_and_no_figure(verdict):
    row = dataclasses.replace(
        verdict, ci_low=math.nan, ci_high=math.inf, sensitivity=[{"estimate": math.nan}]
    ).to_json()
    assert (row["ci_low"], row["ci_high"], row["sensitivity"]) == (None, None, [{"estimate": None}])
    assert not {"points", "group", "figure"} & set(row)
    json.dumps(row, allow_nan=False)


def test_a_measured_number_has_the_half_width_of_its_interval(verdict):
    shown = dataclasses.replace(verdict, estimate=-1.5, ci_low=-1.6, ci_high=-1.4)
    assert shown.measured_in_words == "−1.500 ± 0.100"
    assert dataclasses.replace(verdict, estimate=None).measured_in_words == "–"
