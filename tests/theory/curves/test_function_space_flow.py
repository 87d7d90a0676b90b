"""Gradient flow in function space, against flows that are solved by hand."""

import numpy as np
import pytest

from theory import InputError
from theory.curves.function_space_flow import train
from theory.curves.lazy_network import FrozenKernel
from theory.curves.margin_loss import SMALL_LOSS, margin_loss

SQUARE = margin_loss("square")


@pytest.mark.parametrize("theta", [0.1, 1.0, 30.0])
def test_one_point_and_a_frozen_kernel_decay_exponentially(theta):
    """1 - F = exp(-2 theta t): stop and half-time to the tolerance of a second-order method."""
    trained = train(FrozenKernel(np.array([[theta]])), np.ones(1), SQUARE, tolerance=1e-3)
    assert trained.time_end == pytest.approx(-np.log(SMALL_LOSS) / (4 * theta), rel=2e-3)
    assert trained.time_half == pytest.approx(np.log(2) / (4 * theta), rel=2e-3)
    assert theta * trained.end[0] == pytest.approx(1 - np.sqrt(SMALL_LOSS), abs=1e-8)  # the stop is located


def test_steps_are_of_second_order():
    """A tolerance 16 times smaller is of steps four times shorter: errors 16 times smaller, within a factor of two."""
    errors = []
    for tolerance in (1.6e-2, 1e-3):
        trained = train(FrozenKernel(np.ones((1, 1))), np.ones(1), SQUARE, tolerance)
        errors.append(abs(trained.time_end + np.log(SMALL_LOSS) / 4))
    assert 8 < errors[0] / errors[1] < 32


def test_labels_turn_the_forces_round():
    """A diagonal kernel: each point on its own, towards its label."""
    trained = train(FrozenKernel(np.eye(2)), np.array([1.0, -1.0]), SQUARE, tolerance=1e-3)
    assert trained.end[0] == pytest.approx(-trained.end[1], rel=1e-12)
    assert trained.end[0] > 0.9


def test_contradicting_points_do_not_move():
    with pytest.raises(InputError, match="opposite labels"):
        train(FrozenKernel(np.ones((2, 2))), np.array([1.0, -1.0]), SQUARE)


def test_a_stop_that_is_not_met_names_the_smallest_margin():
    with pytest.raises(InputError, match="the smallest margin is"):
        train(FrozenKernel(np.ones((1, 1))), np.ones(1), SQUARE, max_steps=3)


@pytest.mark.parametrize("tolerance", [0.0, 1.0])
def test_a_tolerance_is_a_share(tolerance):
    with pytest.raises(InputError, match="tolerance"):
        train(FrozenKernel(np.ones((1, 1))), np.ones(1), SQUARE, tolerance)
