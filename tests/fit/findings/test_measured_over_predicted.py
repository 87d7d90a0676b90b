"""Measured over predicted: 1, within the margin, by the rule of exponents."""

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import FEATURE, prediction

from fit.estimators.estimate import Estimate
from fit.findings.measured_over_predicted import curve_abscissa, judged_ratio, with_predicted_curve

LAW = prediction("kernel_change_feature", "width", None, FEATURE, margin=0.2)


@pytest.mark.parametrize(
    ("value", "error", "outcome", "words"),
    [
        (1.05, 0.02, "consistent", "lies inside 1 ± 0.2"),
        (0.85, 0.01, "consistent", "lies inside 1 ± 0.2"),
        (1.30, 0.02, "inconsistent", "lies wholly outside 1 ± 0.2"),
        (0.70, 0.02, "inconsistent", "lies wholly outside 1 ± 0.2"),
        (1.30, 0.08, "inconclusive", "lies neither inside 1 ± 0.2 nor outside"),
        (1.00, 0.30, "inconclusive", "lies neither inside 1 ± 0.2 nor outside"),
    ],
)
def test_the_interval_decides(value, error, outcome, words):
    """Student's t at 20 degrees of freedom: 1.72 and 2.09 standard errors."""
    finding = judged_ratio(LAW, Estimate(value, error, 20), "the variance", {})
    assert finding.outcome == outcome
    assert finding.reason.startswith(f"the variance is {value:.2f} of the predicted one")
    assert words in finding.reason
    assert (finding.p_value_against < 0.05) == (outcome == "inconsistent")


def test_just_inside_and_just_outside_of_the_margin():
    """1.2 less 1.7247 standard errors: the 90 % interval of 20 degrees of freedom ends at the margin."""
    for distance, outcome in ((1.73, "consistent"), (1.72, "inconclusive")):
        assert judged_ratio(LAW, Estimate(1.2 - distance * 0.01, 0.01, 20), "it", {}).outcome == outcome
    for distance, outcome in ((2.09, "inconsistent"), (2.08, "inconclusive")):
        assert judged_ratio(LAW, Estimate(1.2 + distance * 0.01, 0.01, 20), "it", {}).outcome == outcome


def test_a_predicted_curve_goes_over_the_range_of_the_points():
    x = curve_abscissa(np.array([64.0, 16.0, 256.0]))
    assert (x[0], x[-1]) == (16.0, pytest.approx(256.0))
    assert np.ptp(np.diff(np.log(x))) < 1e-12
    points = with_predicted_curve(xr.Dataset({"y": ("point", [1.0])}, attrs={"x": "width"}), x, 1 / x, "As computed.")
    np.testing.assert_array_equal(points.attrs["predicted_y"], 1 / x)
    assert (points.attrs["x"], points.attrs["sentence"]) == ("width", "As computed.")
