"""Tests before an interval: what can't be tested changes nothing."""

import numpy as np

from fit.estimators.preliminary import birge_ratio, equal_means_test, rounded_to_zero, straightness_test


def test_a_standard_error_is_only_ever_enlarged():
    assert birge_ratio(4.0, 0.1) == 2.0
    assert birge_ratio(0.25, 0.1) == 1.0
    assert birge_ratio(4.0, 0.5) == 1.0


def test_one_group_or_no_scatter_has_equal_means():
    assert equal_means_test(np.arange(4.0), np.zeros(4)) == (0.0, 1.0)
    assert equal_means_test(np.repeat([0.0, 1.0], 3), np.repeat([0, 1], 3)) == (0.0, 1.0)


def test_a_line_through_two_groups_can_not_be_bent():
    assert straightness_test(None, np.arange(4.0), np.array([0, 0, 1, 1])) == (0.0, 1.0)


def test_rounding_is_no_scatter():
    assert rounded_to_zero(1e-12, np.array([1.0, 1.0 + 1e-12])) == 0.0
    assert rounded_to_zero(0.1, np.array([1.0, 1.2])) == 0.1
