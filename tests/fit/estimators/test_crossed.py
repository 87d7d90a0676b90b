"""Draws of the data crossed with initial weights: variance components, and intervals that cover."""

import numpy as np
import pytest

from fit.estimators.crossed import crossed_estimate, crossed_mean
from fit.estimators.estimate import Estimate


def crossed(rng, draws, weights, sizes, replicas):
    """Values (replica, draw, weights) of known standard deviations (draws, weights, residual)."""
    return (
        sizes[0] * rng.standard_normal((replicas, draws, 1))
        + sizes[1] * rng.standard_normal((replicas, 1, weights))
        + sizes[2] * rng.standard_normal((replicas, draws, weights))
    )


def test_components_are_those_of_the_table_of_mean_squares():
    values = np.array([[3.0, 5.0, 4.0, 8.0], [2.0, 1.0, 4.0, 5.0], [7.0, 9.0, 6.0, 10.0]])
    rows, columns, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    square_draws = 4 * np.sum((rows - mean) ** 2) / 2
    square_weights = 3 * np.sum((columns - mean) ** 2) / 3
    square_residual = np.sum((values - rows[:, None] - columns + mean) ** 2) / 6
    estimate, parts = crossed_mean(values)
    assert parts.draws**2 == pytest.approx((square_draws - square_residual) / 4)
    assert parts.weights**2 == pytest.approx((square_weights - square_residual) / 3)
    assert parts.residual**2 == pytest.approx(square_residual)
    assert estimate.standard_error**2 == pytest.approx((square_draws + square_weights - square_residual) / 12)
    assert estimate.standard_error**2 == pytest.approx(
        parts.draws**2 / 3 + parts.weights**2 / 4 + parts.residual**2 / 12
    )


def test_no_component_is_negative():
    # draws that differ by less than their residuals explain: the mean square of draws is 0
    values = np.array([[1.0, -1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    estimate, parts = crossed_mean(values)
    assert (parts.draws, parts.weights) == (0.0, 0.0)
    assert estimate.standard_error == pytest.approx(parts.residual / 3)


def test_initial_weights_that_lack_a_draw_are_left_out():
    values = np.array([[1.0, 2.0, np.nan], [2.0, 4.0, 5.0], [np.nan] * 3])
    estimate, parts = crossed_mean(values)
    assert (parts.n_draws, parts.n_weights) == (2, 2)
    assert estimate.value == pytest.approx(2.25)
    assert crossed_mean(np.array([[1.0, np.nan], [np.nan, 2.0]])) is None


def test_values_without_scatter_have_no_error():
    assert crossed_mean(np.full((3, 4), 0.1))[0].standard_error == 0


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 1, 0.1), (2, 0.5, 0.5)], ids=lambda s: "-".join(map(str, s)))
def test_intervals_of_three_draws_cover(sizes):
    values = crossed(np.random.default_rng(1), 3, 8, sizes, 1000)
    intervals = [crossed_mean(one)[0].interval() for one in values]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    # between 93 and 97 %, and three standard errors of a share of a thousand
    assert 0.93 - 0.021 <= covered <= 0.97 + 0.016


def test_an_interval_over_draws_alone_is_too_short():
    values = crossed(np.random.default_rng(2), 10, 10, (1, 1, 1), 500)
    means = values.mean(axis=2)
    half = 2.262 * means.std(axis=1, ddof=1) / np.sqrt(10)
    covered = {
        "draws": np.mean(np.abs(means.mean(axis=1)) <= half),
        "both": np.mean([low <= 0 <= high for low, high in (crossed_mean(one)[0].interval() for one in values)]),
    }
    assert covered["draws"] < 0.91  # .87, good to .015
    assert covered["both"] > 0.93


def test_of_a_mean_both_ways_give_the_same_error():
    """Estimates on each draw and on averaged values, with errors over initial weights, give the components."""

    def mean(sample):
        return Estimate(float(sample.mean()), sample.std(ddof=1) / np.sqrt(len(sample)), len(sample) - 1.0)

    (values,) = crossed(np.random.default_rng(3), 4, 9, (1, 1, 1), 1)
    expected, _ = crossed_mean(values)
    other = crossed_estimate([mean(row) for row in values], mean(values.mean(axis=0)))
    assert other.value == pytest.approx(expected.value)
    assert other.standard_error == pytest.approx(expected.standard_error)
    assert other.dof == pytest.approx(expected.dof)
