"""The factor 1 + b x^w, and the minima of a sum of squares over b."""

import numpy as np
import pytest

from fit.estimators.correction import LARGEST_WHERE_SMALLEST, log_factor, minima

POWER = np.geomspace(0.01, 1.0, 20)


def test_the_derivative_of_the_factor_is_that_of_differences():
    value, by_b = log_factor(0.7, POWER)
    np.testing.assert_allclose(value, np.log1p(0.7 * POWER), rtol=1e-13)
    step = 1e-6
    differences = (log_factor(0.7 + step, POWER)[0] - log_factor(0.7 - step, POWER)[0]) / (2 * step)
    np.testing.assert_allclose(by_b, differences, rtol=1e-8)


def test_both_minima_are_found_the_lower_one_first():
    solutions = minima(lambda b: min((b - 2) ** 2, (b - 30) ** 2 + 0.5), POWER)
    assert [b for b, _ in solutions] == pytest.approx([2.0, 30.0], rel=1e-3)
    assert solutions[0][1] < solutions[1][1]


def test_b_stays_where_the_correction_is_one():
    (b, _), *_ = minima(lambda b: -b, POWER)  # as large as allowed
    assert b * POWER.min() == pytest.approx(LARGEST_WHERE_SMALLEST)
