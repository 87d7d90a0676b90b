"""How far a measured exponent is from the predicted one and its rivals."""

import pytest
import sympy
from scipy.stats import t
from synthetic_campaign import FEATURE, experiment, prediction

from fit import Estimate
from fit.judge.rivals import neighbours, rivals
from fit.measurements.reading import measurements

KERNEL = prediction("kernel_change_feature", "root_h_alpha", "-3/2", FEATURE)


def test_neighbouring_depths_are_rivals():
    (three_layers,) = measurements(experiment())
    assert neighbours(three_layers, KERNEL) == {"L = 2": sympy.Rational(-4, 3), "L = 4": sympy.Rational(-8, 5)}


def test_distances_and_weights_are_those_of_the_estimate():
    rows = rivals(Estimate(-1.56, 0.02, 9), KERNEL, {"L = 4": sympy.Rational(-8, 5), "L = 2": sympy.Rational(-4, 3)})
    by_name = {row["name"]: row for row in rows}
    assert [row["exponent"] for row in rows[:3]] == ["-8/5", "-3/2", "-4/3"]
    assert by_name["predicted"]["standard_errors"] == pytest.approx(3.0)
    assert by_name["L = 4"]["standard_errors"] == pytest.approx(2.0)
    assert by_name["L = 4"]["weight"] / by_name["predicted"]["weight"] == pytest.approx(t.pdf(2, 9) / t.pdf(3, 9))
    assert sum(row["weight"] for row in rows) == pytest.approx(1)
    assert [row["value"] for row in rows if row["name"] == "simple power"] == [-2.0, -1.0, -0.5]


def test_without_an_estimate_or_its_error_nothing_is_compared():
    assert rivals(None, KERNEL, {}) == []
    assert rivals(Estimate(-1.5, 0.0, 9), KERNEL, {}) == []
    assert rivals(Estimate(-1.5, 0.1, 9), prediction("depth_trend", "root_h_alpha", None, FEATURE), {}) == []
