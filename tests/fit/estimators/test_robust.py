"""The last coefficient of a regression, with and without an outlier."""

import numpy as np
import pytest

from fit.estimators.robust import last_coefficient

X = np.arange(20.0)
DESIGN = np.stack([np.ones(20), X], axis=1)
VALUES = 1.0 + 2.0 * X + 0.01 * np.random.default_rng(0).standard_normal(20)


def test_an_outlier_moves_least_squares_and_not_hubers_estimate():
    values = VALUES.copy()
    values[-1] += 50
    assert last_coefficient(values, DESIGN, robust=False)[0] > 2.5
    assert last_coefficient(values, DESIGN, robust=True)[0] == pytest.approx(2.0, abs=0.01)


def test_a_perfect_line_has_the_least_squares_result():
    value, error, freedom = last_coefficient(1.0 + 2.0 * X, DESIGN, robust=True)
    assert (value, freedom) == (pytest.approx(2.0), 18.0)
    assert error < 1e-12
