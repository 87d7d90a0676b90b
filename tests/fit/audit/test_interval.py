"""Intervals cover what they say."""

import math

import numpy as np
import pytest

from fit.audit.interval import over_points, over_runs


def test_intervals_over_runs_cover_the_median_of_log_normal_numbers():
    """95 % of 1,000: binomial standard error 0.7 %; four of them."""
    rng = np.random.default_rng(0)
    samples = np.exp(rng.normal(math.log(0.3), 0.4, (1000, 4)))
    intervals = [over_runs(sample) for sample in samples]
    assert np.mean([one.low <= 0.3 <= one.high for one in intervals]) == pytest.approx(0.95, abs=0.028)


def test_one_run_has_no_interval():
    one = over_runs([0.2])
    assert (one.low, one.high, one.over) == (0.2, 0.2, "none")


def test_a_change_that_is_zero_has_no_logarithm():
    one = over_runs([0.0, 0.2, 0.1])
    assert (one.value, one.low, one.high) == (pytest.approx(0.1), 0.0, 0.2)


def test_the_jackknife_over_points_is_students_interval_of_a_geometric_mean():
    """For a mean of logarithms the jackknife's error is the usual one, exactly."""
    values = np.exp(np.random.default_rng(1).normal(size=12))
    interval = over_points(12, lambda left: float(np.exp(np.mean(np.log(values[left])))))
    direct = over_runs(values)
    assert interval.low == pytest.approx(direct.low)
    assert interval.high == pytest.approx(direct.high)
    assert interval.over == "probe points"


def test_a_kernel_that_did_not_change_has_no_interval():
    assert over_points(5, lambda left: 0.0).over == "none"
