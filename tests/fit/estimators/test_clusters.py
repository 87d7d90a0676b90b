"""Slopes inside clusters: each row its own line."""

import numpy as np
import pytest

from fit.estimators.clusters import cluster_slopes, mean_over, slope_within

LOG_X = np.tile(np.arange(4.0), (3, 1))


def test_each_row_has_the_slope_of_its_own_line():
    slopes = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(cluster_slopes(LOG_X, slopes[:, None] * LOG_X + [[1], [2], [3]]), slopes, rtol=1e-12)


def test_a_row_with_one_abscissa_has_none():
    log_y = np.where(LOG_X == 0, 1.0, np.nan)
    assert np.isnan(cluster_slopes(LOG_X, log_y)).all()
    assert np.isnan(cluster_slopes(LOG_X[:, :0], log_y[:, :0])).all()


def test_the_mean_slope_counts_the_points_of_rows_that_have_one():
    log_y = -1.5 * LOG_X
    log_y[2, 1:] = np.nan
    estimate = slope_within(LOG_X, log_y)
    assert (estimate.value, estimate.standard_error) == (pytest.approx(-1.5), 0.0)
    assert (estimate.n_points, estimate.n_clusters) == (8, 2)


def test_one_cluster_has_no_interval():
    assert slope_within(LOG_X[:1], LOG_X[:1]) is None
    assert mean_over(np.array([1.0, np.nan])) is None
