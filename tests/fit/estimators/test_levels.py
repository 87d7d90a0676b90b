"""Means over fixed levels: what levels differ by is no error of them."""

import math

import numpy as np
import pytest
from scipy import stats

from fit.estimators.clusters import mean_over
from fit.estimators.crossed import crossed_mean
from fit.estimators.levels import mean_over_levels

EXACT = 1e-9


def test_the_error_is_that_of_a_stratified_mean():
    """(1/W) sum m_w with variance sum s_w²/n_w / W² and Welch's degrees of freedom, at n = 3 and 2."""
    values, widths = np.array([0.1, 0.5, 0.3, 0.9, 0.8]), np.array([32, 32, 32, 64, 64])
    narrow, wide = values[:3], values[3:]
    parts = np.array([narrow.var(ddof=1) / 3, wide.var(ddof=1) / 2]) / 4
    estimate = mean_over_levels(values, widths)
    assert estimate.value == pytest.approx((narrow.mean() + wide.mean()) / 2, rel=EXACT)
    assert estimate.standard_error == pytest.approx(math.sqrt(parts.sum()), rel=EXACT)
    assert estimate.dof == pytest.approx(parts.sum() ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 1), rel=EXACT)
    assert (estimate.n_points, estimate.n_clusters) == (5, 5)


def test_of_two_levels_it_is_welchs_t_test_of_one_against_the_negative_of_the_other():
    a, b = np.array([1.0, 1.4, 0.8]), np.array([-2.0, -2.1, -2.9])
    expected = stats.ttest_ind(a, -b, equal_var=False)  # (mean a + mean b)/2 is 0
    estimate = mean_over_levels(np.concatenate([a, b]), np.repeat([0, 1], 3))
    assert estimate.dof == pytest.approx(expected.df, rel=EXACT)
    assert estimate.p_value(0.0) == pytest.approx(expected.pvalue, rel=EXACT)


def test_of_one_level_it_is_students():
    values = np.array([0.1, 0.5, 0.3, 0.9, np.nan, 0.8])
    estimate, expected = mean_over_levels(values, np.full(6, 64)), mean_over(values)
    assert (estimate.value, estimate.standard_error, estimate.dof) == pytest.approx(
        (expected.value, expected.standard_error, expected.dof), rel=EXACT
    )


@pytest.mark.parametrize("shift", [0.0, 0.01, 5.0])
def test_what_levels_differ_by_is_not_in_the_error(shift):
    """Two widths: with the scatter between them in the interval there is one degree of freedom, t = 12.7."""
    values, widths = np.array([0.1, 0.5, 0.3, 0.2, 0.4, 0.15]), np.repeat([32, 64], 3)
    same = mean_over_levels(values, widths)
    estimate = mean_over_levels(values + np.where(widths == 64, shift, 0.0), widths)
    assert estimate.value == pytest.approx(same.value + shift / 2, rel=EXACT)
    assert (estimate.standard_error, estimate.dof) == pytest.approx((same.standard_error, same.dof), rel=EXACT)
    assert bool(estimate.notes) == (shift == 5.0)  # it is said that the widths differ


def test_a_level_with_one_value_is_left_out():
    estimate = mean_over_levels(np.array([0.1, 0.5, 7.0, np.nan]), np.array([32, 32, 64, 64]))
    assert (estimate.value, estimate.n_points) == (pytest.approx(0.3), 2)
    assert mean_over_levels(np.array([0.1, 0.5]), np.array([32, 64])) is None


def test_values_without_scatter_have_no_error():
    estimate = mean_over_levels(np.array([0.1, 0.1, 0.1, 0.3, 0.3]), np.array([32, 32, 32, 64, 64]))
    assert (estimate.standard_error, estimate.dof) == (0.0, 3.0)


def test_intervals_cover_the_mean_over_the_levels_measured():
    """Narrow networks scatter more; the levels differ by far more than their noise."""
    rng = np.random.default_rng(0)
    widths, replicas = np.repeat([32, 128], 5), 2000
    values = np.where(widths == 32, 1.0, -1.0) + rng.standard_normal((replicas, 10)) / np.sqrt(widths)
    intervals = [mean_over_levels(one, widths).interval() for one in values]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)  # three standard errors of a share of two thousand


def test_crossed_with_draws_mean_squares_are_those_about_each_width():
    rng = np.random.default_rng(1)
    values = rng.standard_normal((4, 6)) + rng.standard_normal((4, 1))
    widths = np.repeat([32, 64, 128], 2)
    within = values.reshape(4, 3, 2)
    cells = within.mean(axis=2)  # (draw, width)
    of_draws, of_weights = values.mean(axis=1), within.mean(axis=0)
    square_draws = 6 * of_draws.var(ddof=1)
    square_weights = 4 * np.sum((of_weights - of_weights.mean(axis=1, keepdims=True)) ** 2) / 3
    residual = within - cells[:, :, None] - of_weights + cells.mean(axis=0)[:, None]
    square_residual = np.sum(residual**2) / (3 * 3)
    estimate, parts = crossed_mean(values, widths)
    draws, weights = max(square_draws - square_residual, 0.0), max(square_weights - square_residual, 0.0)
    assert estimate.value == pytest.approx(values.mean(), rel=EXACT)
    assert estimate.standard_error**2 == pytest.approx((draws + weights + square_residual) / 24, rel=EXACT)
    assert (parts.draws**2, parts.weights**2, parts.residual**2) == pytest.approx(
        (draws / 6, weights / 4, square_residual), rel=EXACT
    )
    shifted, _ = crossed_mean(values + np.repeat([0.0, 5.0, -3.0], 2), widths)
    assert (shifted.standard_error, shifted.dof) == pytest.approx((estimate.standard_error, estimate.dof), rel=EXACT)


def test_crossed_each_width_counts_the_same():
    values = np.array([[1.0, 2.0, 3.0, 10.0, 12.0, 50.0], [2.0, 4.0, 3.0, 11.0, 12.0, 60.0]])
    estimate, parts = crossed_mean(values, np.array([32, 32, 32, 64, 64, 128]))
    assert estimate.value == pytest.approx((2.5 + 11.25) / 2)  # the width with one network is left out
    assert parts.n_weights == 5
    assert estimate.n_points == 10
