"""The crossover amplitude is where the kernel change passes a level."""

import numpy as np
import pytest

from fit.estimators.censored import censored_slope
from fit.estimators.level_crossing import censoring, log_crossing

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


def test_curves_that_end_before_the_level_say_on_which_side_their_crossing_lies():
    star = np.array([0.0, 30.0, -30.0])
    value, side = censoring(LOG_A, bent(star))
    assert side.tolist() == [0, 1, -1]
    assert value[1:].tolist() == [LOG_A[-1], LOG_A[0]]


def test_crossings_beyond_the_grid_do_not_bias_the_slope():
    """A third of the crossings lie beyond the end of the grid, most of them at the widest networks."""
    rng = np.random.default_rng(0)
    x = np.repeat(np.log([32.0, 64, 128, 256, 512]), 40)
    true = 1.5 * x + 0.5 * rng.standard_normal(len(x))
    end = 8.0
    side = (true > end).astype(int)
    assert 0.2 < side.mean() < 0.45
    estimate = censored_slope(x, np.minimum(true, end), side)
    low, high = estimate.interval(0.99)
    assert low < 1.5 < high
    seen = side == 0
    assert np.polyfit(x[seen], true[seen], 1)[0] < 1.5 - 2 * estimate.standard_error  # what leaving them out would give


def test_without_censoring_it_is_least_squares():
    rng = np.random.default_rng(1)
    x = np.repeat(np.log([32.0, 64, 128, 256]), 10)
    y = -0.5 * x + 0.1 * rng.standard_normal(len(x))
    estimate = censored_slope(x, y, np.zeros(len(x)))
    # the scatter's own power of h is fitted along: weights differ from equal ones, by part of a standard error of 0.02
    assert estimate.value == pytest.approx(np.polyfit(x, y, 1)[0], abs=0.02)
    assert censored_slope(x[:5], y[:5], np.zeros(5)) is None


def test_one_amplitude_has_no_crossing():
    values = np.log(np.array([[0.5, 2.0, np.nan]]))
    assert np.isnan(log_crossing(np.array([0.0]), values, 0.0)).all()
    _, side = censoring(np.array([0.0]), values, 0.0)
    assert side.tolist() == [-1, 1, 0]


@pytest.mark.parametrize("step", [0.5, 2.0])
def test_beside_a_gap_the_chord_goes_on(step):
    """A straight line with a missing neighbour is still one, whatever the step of the grid."""
    grid = step * np.arange(4.0)
    line = 1.4 * step - grid
    line[0] = np.nan
    assert log_crossing(grid, line[:, None])[0] == pytest.approx(1.4 * step, rel=1e-9)
