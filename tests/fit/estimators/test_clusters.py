"""Slopes inside clusters: each row its own line."""

import dataclasses

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


def test_two_widths_whose_slopes_scatter_are_covered():
    """Scatter of two standard errors of a width's mean: with t of all ten values, less than 90 % would be."""
    rng = np.random.default_rng(0)
    widths, replicas = np.repeat([32, 64], 5), 1500
    values = rng.standard_normal((replicas, 10)) + (2 / np.sqrt(5)) * rng.standard_normal((replicas, 2)).repeat(
        5, axis=1
    )
    estimates = [mean_over(one, widths) for one in values]

    def covered(intervals):
        return np.mean([low <= 0 <= high for low, high in intervals])

    # two standard errors of a share of 1,500 are 0.011
    assert covered([estimate.interval() for estimate in estimates]) > 0.95
    of_all = [dataclasses.replace(e, dof=9.0) if e.dof == 2 else e for e in estimates]
    assert covered([estimate.interval() for estimate in of_all]) < 0.91


def test_outliers_lose_their_pull_beside_a_correction():
    log_x = np.tile(np.log(np.geomspace(1e-4, 1e-2, 6)), (7, 1))
    tilt = np.array([0.01, -0.01, 0.005, -0.005, 0.0, 0.008, 3.0])
    log_y = (tilt[:, None] - 1.5) * log_x + np.log1p(0.5 * np.exp(0.5 * log_x))
    robust, plain = (slope_within(log_x, log_y, None, 0.5, robust=robust) for robust in (True, False))
    assert robust.value == pytest.approx(-1.5, abs=0.03)
    assert plain.value == pytest.approx(-1.5 + 3 / 7, abs=0.1)
