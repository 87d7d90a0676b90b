"""Excess errors against gaps, signs, and what is left undecided."""

import numpy as np
import pytest
import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.error_differences import (
    decide_sign,
    fraction_wrong,
    judge_excess_error,
    mean_in_cells,
    percentage_points,
    ratio,
)

USED = {"n_seeds": 20}
GAP = Estimate(0.02, 0.001, 50)


def judged(excess, error=0.0005, gap=GAP, allowed=0.5):
    tests = [Estimate(excess - allowed * gap.value, error, 50)]
    return judge_excess_error(tests, Estimate(excess, error, 50), gap, allowed, "a over b", "that of c", USED)


@pytest.mark.parametrize(
    ("excess", "outcome", "clause"),
    [
        (0.002, "consistent", "so that their ratio is below 50% at 95 % confidence"),
        (0.018, "inconsistent", "so that their ratio is above 50%"),
        (0.0101, "inconclusive", "the interval of their ratio includes the largest one allowed, 50%"),
    ],
)
def test_half_of_the_gap_is_allowed(excess, outcome, clause):
    finding = judged(excess)
    assert finding.outcome == outcome
    expected = f"the excess test error of a over b is {100 * excess:+.2f} percentage points; that of c is +2.00"
    assert finding.reason.startswith(expected)
    assert clause in finding.reason
    assert finding.estimate.value == pytest.approx(excess / 0.02)


def test_without_a_gap_there_is_nothing_to_compare_with():
    finding = judged(0.001, gap=Estimate(0.0005, 0.001, 50))
    assert finding.undecided_because.startswith("there is no gap to measure against")
    assert ratio(Estimate(0.1, 0.1, 5), Estimate(0.0, 0.1, 5)) is None


@pytest.mark.parametrize(("value", "outcome"), [(0.01, "consistent"), (-0.01, "inconsistent"), (0.001, "inconclusive")])
def test_a_sign_is_decided_by_its_interval(value, outcome):
    decided, clause, p_value = decide_sign(Estimate(value, 0.002, 50), "measured")
    assert decided == outcome
    assert ("includes zero" in clause) == (outcome == "inconclusive")
    assert (p_value < 0.05) == (outcome == "inconsistent")


def test_an_error_is_the_fraction_of_wrong_signs_and_a_pair_needs_all_its_cells():
    outputs = xr.DataArray([[1.0, -2.0, 0.0, 3.0]], dims=("seed", "test_point"))
    label = xr.DataArray([1.0, 1.0, 1.0, -1.0], dims="test_point")
    assert fraction_wrong(outputs, label).item() == 0.75
    values = xr.DataArray([[[1.0, 2.0], [3.0, np.nan]]], dims=("width", "amplitude", "seed"))
    mean = mean_in_cells(values, xr.DataArray([[True, True]], dims=("width", "amplitude")))
    np.testing.assert_array_equal(mean.values, [[2.0, np.nan]])


def test_differences_are_in_percentage_points():
    assert percentage_points(-0.0016) == "-0.16"
