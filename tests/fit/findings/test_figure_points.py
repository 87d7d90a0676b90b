"""What a figure shows of a finding."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from fit.estimators.estimate import Estimate
from fit.findings.figure_points import figure_points, mean_with_interval

LOGS = xr.DataArray(np.log([[1.0, 2.0, 4.0], [3.0, np.nan, np.nan], [np.nan] * 3]), dims=("amplitude", "seed"))


def test_a_geometric_mean_has_students_interval():
    mean, low, high = mean_with_interval(LOGS)
    assert mean[0] == pytest.approx(2.0)
    half = stats.t.ppf(0.975, 2) * np.log(2) / np.sqrt(3)
    assert (np.log(low[0]), np.log(high[0])) == (pytest.approx(np.log(2) - half), pytest.approx(np.log(2) + half))
    assert mean[1] == pytest.approx(3.0)
    assert np.isnan(low[1])
    assert np.isnan(mean[2])


def test_points_without_a_value_are_dropped_and_the_fit_goes_through_those_that_were_used():
    a = np.array([1e-3, 1e-2, 1e-1])
    y = np.array([8.0, 2.0, np.nan])
    points = figure_points(
        np.full(3, 64.0), a, (y, y, y), [True, True, True], "root_h_alpha", "y", Estimate(-0.6, 0, 1)
    )
    assert points.sizes["point"] == 2
    line = points.attrs["fit_prefactor"] * a[:2] ** points.attrs["fit_exponent"]
    assert np.mean(np.log(line)) == pytest.approx(np.mean(np.log(y[:2])))
