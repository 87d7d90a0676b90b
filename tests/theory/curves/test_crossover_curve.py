"""Slopes and relative changes of a curve."""

import numpy as np
import pytest

from theory import InputError
from theory.curves import CrossoverCurve
from theory.curves.crossover_curve import relative_change


def curve(root_h_alpha, kernel_change):
    zero = np.zeros(len(root_h_alpha))
    return CrossoverCurve(np.array(root_h_alpha), np.array(kernel_change), zero, zero, zero, "")


def test_the_slope_of_a_power_is_its_exponent_whatever_the_spacing():
    a = np.array([1e-3, 1e-1, 0.5, 40.0])
    np.testing.assert_allclose(curve(a, 7 * a**-1.5).local_slope(), -1.5, rtol=1e-12)


@pytest.mark.parametrize("amplitudes", [[1.0], [2.0, 1.0], [1.0, 1.0]])
def test_slopes_need_ascending_neighbours(amplitudes):
    with pytest.raises(InputError, match="neighbours"):
        curve(amplitudes, [1.0] * len(amplitudes)).local_slope()


def test_a_relative_change_is_that_of_frobenius_norms():
    """|(3, 4)| = 5 over |(6, 8)| = 10."""
    start = np.array([[6.0, 0.0], [0.0, 8.0]])
    assert relative_change(start + np.array([[0.0, 3.0], [4.0, 0.0]]), start) == 0.5
