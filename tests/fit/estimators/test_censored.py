"""A line through values of which some are known only to lie beyond the grid."""

import numpy as np
import pytest

from fit.estimators.censored import MIN_UNCENSORED, censored_slope

X = np.repeat([0.0, 1.0, 2.0], 40)
VALUE = 1.0 - 0.5 * X + 0.3 * np.random.default_rng(0).standard_normal(120)


def test_without_censoring_the_slope_is_that_of_the_line():
    estimate = censored_slope(X, VALUE, np.zeros(120))
    assert estimate.value == pytest.approx(-0.5, abs=0.1)  # three standard errors of 0.3/sqrt(80)
    assert (estimate.dof, estimate.n_points, estimate.n_clusters) == (118, 120, 120)
    assert np.log(estimate.prefactor) == pytest.approx(1.0, abs=0.14)  # three standard errors of a value at x = 0


def test_censored_values_keep_the_slope_that_leaving_them_out_would_tilt():
    end = 1.0  # of larger values only that is known: half of those at x = 0, none at x = 2
    side = np.where(end < VALUE, 1, 0)
    estimate = censored_slope(X, np.minimum(VALUE, end), side)
    left_out = np.polyfit(X[side == 0], VALUE[side == 0], 1)[0]
    assert abs(estimate.value + 0.5) < 0.05
    assert left_out > -0.42


def test_too_few_values_that_are_known_have_no_line():
    side = np.ones(120)
    side[: MIN_UNCENSORED - 1] = 0
    assert censored_slope(X, VALUE, side) is None
