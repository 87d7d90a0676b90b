"""An estimate's interval and p-values at the limits."""

import pytest

from fit.estimators.estimate import Estimate


def test_p_values_and_intervals_agree_at_the_edge():
    estimate = Estimate(1.0, 0.2, 7)
    low, high = estimate.interval(0.95)
    assert estimate.p_value(low) == pytest.approx(0.05)
    assert estimate.p_value_within(low - 0.1, 0.1) == pytest.approx(0.05)
    assert estimate.p_value_at_most(low) == pytest.approx(0.05)
    assert estimate.p_value_at_least(high) == pytest.approx(0.05)


def test_without_an_error_only_equality_is_compatible():
    exact = Estimate(1.0, 0.0, 7)
    assert (exact.p_value(1.0), exact.p_value(1.1)) == (1.0, 0.0)
    assert exact.p_value_within(1.05, 0.1) == 1.0
