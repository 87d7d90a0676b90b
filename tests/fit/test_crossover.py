"""The crossover amplitude is where the kernel change passes a level."""

import numpy as np
import pytest

from fit.crossover import log_crossing

LOG_A = np.log(10) * np.arange(-2, 3.1, 0.5)


def bent(log_star):
    x = LOG_A[:, None] - np.atleast_1d(log_star)
    return np.log(2) - np.logaddexp(x, 2 * x)  # slope -1 turns into -2 at the crossing


def test_the_crossing_does_not_depend_on_where_the_grid_lies():
    """On half-decades A* comes out to 1 %: an error that varied by more with A* would tilt alpha*(h)."""
    star = np.linspace(-1, 2, 200)
    error = log_crossing(LOG_A, bent(star)) - star
    assert np.abs(error).max() < 0.01


def test_a_straight_line_is_crossed_exactly():
    star = np.linspace(-1, 2, 7)
    # 1e-6: the inverse is tabulated
    assert log_crossing(LOG_A, -1.5 * (LOG_A[:, None] - star)) == pytest.approx(star, abs=1e-6)


def test_curves_that_never_pass_are_censored():
    never = np.stack([np.full_like(LOG_A, 1.0), np.full_like(LOG_A, -1.0)], axis=1)
    assert np.isnan(log_crossing(LOG_A, never)).all()


def test_a_missing_network_matters_only_beside_the_crossing():
    curves = bent([1.0, 1.0, 1.0])
    curves[0, 0] = np.nan  # far away
    low = np.flatnonzero(curves[:, 1] >= 0).max()
    curves[low, 1] = np.nan  # one end of the bracket
    curves[low - 1, 2] = np.nan  # its neighbour
    crossing = log_crossing(LOG_A, curves)
    assert crossing[0] == pytest.approx(1.0, abs=0.01)
    assert np.isnan(crossing[1])
    assert crossing[2] == pytest.approx(1.0, abs=0.05)  # linear on that side
