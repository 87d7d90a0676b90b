"""Pseudo-values turn statistics over seeds into averages over seeds."""

import numpy as np
import pytest
from scipy import stats

from fit.estimators.jackknife import log_rms, log_standard_deviation


def test_pseudo_values_are_those_of_leaving_each_seed_out():
    rng = np.random.default_rng(0)
    output = rng.standard_normal((7, 4))  # seed, test point
    deviations = ((output - output.mean(0)) ** 2).mean(-1)

    def statistic(rows):
        return 0.5 * np.log(rows.var(axis=0, ddof=1).mean())

    expected = [7 * statistic(output) - 6 * statistic(np.delete(output, s, axis=0)) for s in range(7)]
    assert log_standard_deviation(deviations) == pytest.approx(expected, rel=1e-12)  # rounding


def test_pseudo_values_of_the_rms_are_those_of_leaving_each_seed_out():
    values = np.array([0.3, 1.0, 2.0, 0.1])
    full = 0.5 * np.log(np.mean(values**2))
    expected = [4 * full - 3 * 0.5 * np.log(np.mean(np.delete(values, s) ** 2)) for s in range(4)]
    assert log_rms(values**2) == pytest.approx(expected, rel=1e-12)  # rounding


def test_the_mean_of_pseudo_values_has_no_bias_of_first_order():
    """E log of a sample variance of S = 10 is low by 1/(S-1) = 0.11; the jackknife leaves order 1/S²."""
    rng = np.random.default_rng(1)
    output = rng.standard_normal((20000, 10))
    deviations = (output - output.mean(1, keepdims=True)) ** 2
    plain = np.log(deviations.sum(1) / 9).mean() / 2
    corrected = log_standard_deviation(deviations).mean()
    error = stats.sem(log_standard_deviation(deviations).mean(1))
    assert plain == pytest.approx(-1 / 18, abs=0.01)  # its leading term -1/(2(S-1)), next order 1/S²
    assert abs(corrected) < 0.01 + 3 * error


def test_missing_seeds_are_left_out():
    squares = np.array([[1.0, np.nan, 4.0, 9.0], [np.nan, np.nan, np.nan, 1.0]])
    result = log_rms(squares)
    assert result[0, [0, 2, 3]] == pytest.approx(log_rms(np.array([1.0, 4.0, 9.0])))
    assert np.isnan(result[0, 1])
    assert np.isnan(result[1]).all()  # one seed has no spread


def test_no_scatter_has_no_logarithm_and_no_warning():
    assert not np.isfinite(log_standard_deviation(np.zeros(5))).any()
