"""Losses: slopes and curvatures are derivatives, stopping criteria are what they say."""

import math

import pytest
import torch

from simulate.dynamics.losses import LOSSES

MARGINS = torch.tensor([-30.0, -2.0, -0.3, 0.4, 0.97, 1.02, 1.5, 4.0, 60.0], dtype=torch.float64)


@pytest.mark.parametrize("name", LOSSES)
def test_slope_and_curvature_are_the_derivatives_of_the_value(name):
    loss = LOSSES[name]
    u = MARGINS.clone().requires_grad_()
    slope = torch.autograd.grad(loss.value(u).sum(), u)[0]
    torch.testing.assert_close(loss.slope(MARGINS), slope, rtol=1e-10, atol=1e-14)
    u = MARGINS.clone().requires_grad_()
    # the slope of a hinge is constant on either side: 0·u lets autograd say that its derivative is 0
    curvature = torch.autograd.grad((loss.slope(u) + 0.0 * u).sum(), u)[0]
    torch.testing.assert_close(loss.curvature(MARGINS), curvature, rtol=1e-8, atol=1e-12)
    assert (loss.curvature(MARGINS) >= 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_losses_stay_finite_at_margins_of_any_size(name):
    loss = LOSSES[name]
    far = torch.tensor([-1e8, 1e8], dtype=torch.float64)
    for f in (loss.value, loss.slope, loss.curvature):
        assert torch.isfinite(f(far)).all()


@pytest.mark.parametrize(("name", "start"), [("softhinge", 1.0), ("square", 1.0), ("logistic", math.log(2.0))])
def test_the_loss_of_an_untrained_predictor_is_about_one(name, start):
    # beta = 20 rounds the hinge by exp(-20)/20 at u = 0
    assert LOSSES[name].value(torch.zeros(1, dtype=torch.float64)).item() == pytest.approx(start, abs=1e-9)


def test_margin_losses_stop_when_the_last_point_reaches_margin_one():
    progress = LOSSES["softhinge"].progress
    u = torch.tensor([[3.0, 0.99], [1.0, 1.0]], dtype=torch.float64)
    before, after = progress(u)
    assert before < 0 <= after


def test_square_losses_stop_at_a_mean_loss_of_a_thousandth():
    progress = LOSSES["square"].progress
    gap = math.sqrt(1e-3)
    u = torch.tensor([[1 - 1.01 * gap, 1 + 1.01 * gap], [1 - 0.99 * gap, 1 + 0.99 * gap]], dtype=torch.float64)
    before, after = progress(u)
    assert before < 0 <= after
