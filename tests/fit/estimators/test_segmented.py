"""Two powers that meet at a breakpoint."""

import numpy as np
import pytest

from fit.estimators.segmented import segmented
from lazyrich.errors import InputError


def test_the_level_at_the_breakpoint_is_that_of_both_powers():
    x = np.geomspace(1, 100, 21)
    fitted = segmented(x, 2 * np.where(x < 10, x**2, 10 * x))
    assert np.exp(fitted["log_level"].value) == pytest.approx(200.0)
    assert (fitted["low_exponent"].value, fitted["high_exponent"].value) == (pytest.approx(2), pytest.approx(1))


def test_four_abscissas_have_no_breakpoint():
    with pytest.raises(InputError, match="breakpoint"):
        segmented([1, 2, 3, 4], [1, 2, 3, 4])


def test_five_abscissas_are_enough():
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    fitted = segmented(x, np.where(x < 4, x**2, 4 * x))
    assert fitted["log_breakpoint"].value == pytest.approx(np.log(4.0))
