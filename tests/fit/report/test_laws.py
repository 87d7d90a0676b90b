"""One row a prediction: the gravest outcome, and the measurement that speaks most against it."""

import dataclasses

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.measurements.reading import measurements
from fit.report.laws import law_rows, laws


@pytest.fixture(scope="module")
def row():
    """A verdict to be given other numbers."""
    return next(v for v in assess(tree(experiment())) if v.claim == "kernel_change_feature")


def with_numbers(row, name, estimate, half, outcome):
    return dataclasses.replace(
        row, experiment=name, estimate=estimate, ci_low=estimate - half, ci_high=estimate + half, verdict=outcome
    )


def test_the_gravest_decided_outcome_stands_with_how_many_say_so(row):
    members = [
        with_numbers(row, "a", -1.50, 0.01, "consistent"),
        with_numbers(row, "b", -1.53, 0.01, "consistent"),
        with_numbers(row, "c", -1.90, 0.01, "inconsistent"),
        with_numbers(row, "d", -3.00, 2.00, "inconclusive"),
    ]
    (only,) = law_rows(members)
    assert (only.outcome, only.shown.experiment, only.tally) == ("inconsistent", "c", "in 1 of 4")
    (agreed,) = law_rows(members[:2])
    assert (agreed.outcome, agreed.shown.experiment, agreed.tally) == ("consistent", "b", "")


def test_where_nothing_is_decided_the_most_precise_measurement_is_shown(row):
    members = [with_numbers(row, "wide", -5.0, 9.0, "inconclusive"), with_numbers(row, "b", -1.4, 0.2, "inconclusive")]
    (only,) = law_rows(members)
    assert (only.outcome, only.shown.experiment) == ("inconclusive", "b")


def test_different_predictions_are_different_rows(row):
    other = dataclasses.replace(row, experiment="L1", predicted="-1", predicted_value=-1.0)
    assert len(law_rows([row, other])) == 2


def test_each_law_is_stated_once_with_its_depths_in_a_row():
    data = tree(experiment(name="softplus-L3"), experiment(name="softplus-L1", depth=1, seed=1))
    stated = laws(assess(data), measurements(data))
    keys = [(law.claim, law.regime, law.variable) for law in stated]
    assert len(keys) == len(set(keys))
    (kernel,) = [law for law in stated if law.claim == "kernel_change_feature"]
    assert [(row.networks, row.shown.predicted) for row in kernel.rows] == [("L = 1", "-1"), ("L = 3", "-3/2")]
    (fluctuations,) = [law for law in stated if (law.claim, law.regime) == ("fluctuations", "lazy")]
    assert [row.networks for row in fluctuations.rows] == ["L = 1, 3"]  # one prediction for both


def test_a_law_that_holds_by_construction_is_marked():
    marked = {law.claim for law in laws(assess(tree(experiment()))) if law.by_construction}
    assert "linear_time" in marked
    assert "kernel_change_feature" not in marked


def test_rows_of_one_depth_are_told_apart_by_their_activation():
    kinked = experiment(name="a")
    kinked.attrs["experiment"] = kinked.attrs["experiment"].replace("softplus", "relu")
    data = tree(kinked, experiment(name="b", seed=1))
    stated = laws(assess(data), measurements(data))
    (lazy,) = [law for law in stated if (law.claim, law.variable) == ("kernel_change_lazy", "root_h_alpha")]
    assert [(row.networks, row.shown.predicted) for row in lazy.rows] == [
        ("relu, L = 3", "-1/2"), ("softplus, L = 3", "-1"),
    ]  # fmt: skip
    (feature,) = [law for law in stated if (law.claim, law.regime) == ("kernel_change_feature", "feature")]
    assert [row.networks for row in feature.rows] == ["L = 3"]  # one prediction for both
    for law in stated:
        assert len({row.networks for row in law.rows}) == len(law.rows), law.title


def test_a_law_says_what_its_numbers_are():
    stated = {(law.claim, law.variable): law for law in laws(assess(tree(experiment())))}
    assert stated["kernel_change_feature", "root_h_alpha"].measured_as == "power of A"
    assert stated["fluctuations", "width"].measured_as == "power of h"
    assert all(law.measured_as for law in stated.values() if any(row.shown.estimate is not None for row in law.rows))
