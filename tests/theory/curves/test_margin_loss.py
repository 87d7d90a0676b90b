"""Losses of the margin: slopes and curvatures are derivatives, and the stop is where it is said to be."""

import numpy as np
import pytest

from theory import InputError
from theory.curves.margin_loss import LOSSES, SMALL_LOSS, margin_loss


@pytest.mark.parametrize("name", LOSSES)
def test_slope_and_curvature_are_derivatives(name):
    """Central differences of step 1e-5: 1e-10 of rounding over it, and 1e-10 times third derivatives of up to 8,000."""
    loss, u, step = margin_loss(name), np.linspace(-0.5, 1.5, 41), 1e-5
    for function, derivative in ((loss.value, loss.slope), (loss.slope, loss.curvature)):
        np.testing.assert_allclose((function(u + step) - function(u - step)) / (2 * step), derivative(u), atol=2e-6)


def test_losses_of_a_network_that_puts_out_nothing():
    """F = 0: l = 1 for the square loss, and 1 but for ln(1 + e^-20)/20 for the soft hinge."""
    assert margin_loss("square").value(np.zeros(1)) == 1.0
    assert margin_loss("softhinge").value(np.zeros(1)) == pytest.approx(1.0, abs=1e-9)


def test_the_soft_hinge_stops_at_the_smallest_margin_of_one():
    progress = margin_loss("softhinge").progress
    assert progress(np.array([3.0, 1.0])) == 0.0
    assert progress(np.array([3.0, 0.9])) < 0.0 < progress(np.array([1.2, 1.1]))


def test_the_square_loss_stops_at_a_small_mean():
    progress = margin_loss("square").progress
    at_stop = 1.0 - np.sqrt(SMALL_LOSS)
    assert progress(np.array([at_stop, at_stop])) == pytest.approx(0.0, abs=1e-12)
    # one margin of one and one with twice the mean's square
    assert progress(np.array([1.0, 1.0 - np.sqrt(2 * SMALL_LOSS)])) == pytest.approx(0.0, abs=1e-12)
    assert progress(np.array([0.5, 0.5])) < 0.0 < progress(np.array([1.0, 1.0]))


def test_a_loss_without_curves_is_named():
    with pytest.raises(InputError, match="Choose one of softhinge, square"):
        margin_loss("hinge")
