"""What is missing for its size: the worst that it can do to a slope."""

import numpy as np
import pytest
from scipy import stats

from fit.estimators.selection import largest_shift_of_slope, shift_of_mean

LOG_H = np.repeat(np.log([32.0, 64.0, 128.0]), 4)
VALUE = -0.5 * LOG_H + np.tile([0.1, -0.1, 0.3, -0.2], 3)
NOTHING = np.zeros(12, dtype=bool)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_the_mean_of_what_is_left_is_that_of_a_truncated_normal(fraction):
    left = stats.truncnorm(-np.inf, stats.norm.ppf(1 - fraction))
    assert shift_of_mean(fraction) == pytest.approx(-left.mean() / left.std(), rel=1e-9)


def test_nothing_lost_shifts_nothing():
    assert shift_of_mean(0.0) == 0.0
    assert largest_shift_of_slope(LOG_H, VALUE, NOTHING) == 0.0
    assert largest_shift_of_slope(LOG_H, VALUE, ~NOTHING) == 0.0  # all of these are there


def test_a_width_with_lost_seeds_shifts_the_slope_by_its_weight():
    """Slope = sum (x - mean) y / sum (x - mean)²: the mean of n values of one width moves it by n (x - mean)/sum."""
    value = np.where(np.arange(12) < 1, np.nan, VALUE)
    lost = np.isnan(value)
    x = LOG_H[1:]
    weight = 3 * abs(LOG_H[0] - x.mean()) / np.sum((x - x.mean()) ** 2)
    expected = weight * VALUE[1:4].std(ddof=1) * shift_of_mean(1 / 4)
    assert largest_shift_of_slope(LOG_H, value, lost) == pytest.approx(expected, rel=1e-12)
    assert largest_shift_of_slope(LOG_H, value, NOTHING) == 0.0  # never there: seeds that no one trained


def test_shifts_of_several_widths_add_up():
    value = VALUE.copy()
    value[[0, 8]] = np.nan
    first, last = (np.where(np.arange(12) == i, np.isnan(value), False) for i in (0, 8))
    both = largest_shift_of_slope(LOG_H, value, np.isnan(value))
    assert both == pytest.approx(
        largest_shift_of_slope(LOG_H, value, first) + largest_shift_of_slope(LOG_H, value, last), rel=1e-12
    )


def test_one_value_left_takes_the_scatter_of_the_others():
    value = np.where(np.isin(np.arange(12), (1, 2, 3)), np.nan, VALUE)
    rest = VALUE[4:].reshape(2, 4)
    pooled = np.sqrt(np.sum((rest - rest.mean(axis=1, keepdims=True)) ** 2) / 6)
    x = LOG_H[[0, *range(4, 12)]]
    weight = abs(LOG_H[0] - x.mean()) / np.sum((x - x.mean()) ** 2)
    expected = weight * pooled * shift_of_mean(3 / 4)
    assert largest_shift_of_slope(LOG_H, value, np.isnan(value)) == pytest.approx(expected, rel=1e-12)


def test_one_width_has_no_slope():
    value = np.where(np.arange(12) < 3, VALUE, np.nan)
    assert largest_shift_of_slope(LOG_H, value, np.isnan(value)) == 0.0


def test_two_widths_have_a_slope_that_can_be_shifted():
    value = np.where(np.arange(8) < 1, np.nan, VALUE[:8])
    x = LOG_H[1:8]
    weight = 3 * abs(LOG_H[0] - x.mean()) / np.sum((x - x.mean()) ** 2)
    expected = weight * VALUE[1:4].std(ddof=1) * shift_of_mean(1 / 4)
    assert largest_shift_of_slope(LOG_H[:8], value, np.isnan(value)) == pytest.approx(expected, rel=1e-12)
