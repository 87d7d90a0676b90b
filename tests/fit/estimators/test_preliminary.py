"""Tests before an interval: what can't be tested changes nothing."""

import math

import numpy as np

from fit.estimators.preliminary import equal_means_test, rounded_to_zero, scatter_of_groups, straightness_test


def test_a_standard_error_is_only_ever_enlarged_and_is_then_known_as_well_as_there_are_groups():
    labels = np.array([64, 64, 128, 128, 256, 256])
    assert scatter_of_groups(4.0, labels) == (2.0, 2.0)
    assert scatter_of_groups(0.25, labels) == (1.0, math.inf)
    assert scatter_of_groups(1.0, labels) == (1.0, math.inf)


def test_one_group_or_no_scatter_has_equal_means():
    assert equal_means_test(np.arange(4.0), np.zeros(4)) == (0.0, 1.0)
    assert equal_means_test(np.repeat([0.0, 1.0], 3), np.repeat([0, 1], 3)) == (0.0, 1.0)


def test_a_line_through_two_groups_can_not_be_bent():
    assert straightness_test(None, np.arange(4.0), np.array([0, 0, 1, 1])) == (0.0, 1.0)


def test_rounding_is_no_scatter():
    assert rounded_to_zero(1e-12, np.array([1.0, 1.0 + 1e-12])) == 0.0
    assert rounded_to_zero(0.1, np.array([1.0, 1.2])) == 0.1


def test_two_groups_that_agree_may_do_so_by_chance():
    """t(2); those that differ have t(1), and three that agree all values' degrees of freedom."""
    labels = np.repeat([32, 64], 3)
    assert scatter_of_groups(0.25, labels) == (1.0, 2.0)
    assert scatter_of_groups(4.0, labels) == (2.0, 1.0)
    assert scatter_of_groups(0.25, np.zeros(6)) == (1.0, math.inf)
