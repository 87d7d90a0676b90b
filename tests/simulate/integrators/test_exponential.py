"""The exponential step of a frozen kernel: exact for a constant curvature, of order two for others."""

import mpmath
import pytest
import torch
from flow_problem import accept, batch_at_start, share

from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES
from simulate.integrators.exponential import Exponential, _psi

N = 5
Y = torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0], dtype=torch.float64)


def problem(loss, members=1):
    """Kernels of rank three on five points: two directions never move."""
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(members, N, 3, generator=generator, dtype=torch.float64)
    theta = features @ features.mT
    start = 0.1 * torch.randn(members, N, generator=generator, dtype=torch.float64)
    return theta, start, *frozen_flow(theta, LOSSES[loss], Y, start)


@pytest.mark.parametrize("dt", [1e-3, 1.0, 300.0])
def test_a_step_of_the_square_loss_is_exact_whatever_its_size(dt):
    """l = (1 - u)²: F(t) = y + exp(-2 Theta t/n) (F_0 - y); the estimated error is rounding."""
    theta, start, flow, coefficients = problem("square")
    proposal = Exponential().step(batch_at_start(flow, coefficients, Exponential(), share(dt)))
    exact = Y + torch.matrix_exp(-2 * dt * theta[0] / N) @ (start[0] - Y)
    torch.testing.assert_close(proposal.point.output[0], exact, rtol=1e-11, atol=1e-11)
    assert proposal.error.abs().max() < 1e-10 * max(1.0, dt)


def test_other_losses_are_followed_to_second_order():
    """Halved steps of the logistic loss: errors of F a quarter, estimated ones of one step an eighth, to 20 %."""
    _, _, flow, coefficients = problem("logistic")

    def after(count):
        batch = batch_at_start(flow, coefficients, Exponential(), share(0.8 / count))
        for _ in range(count):
            batch = accept(batch, Exponential().step(batch))
        return batch.point.output[0]

    exact = after(512)
    assert ((after(4) - exact).norm() / (after(8) - exact).norm()).item() == pytest.approx(4.0, rel=0.2)
    estimates = [
        Exponential().step(batch_at_start(flow, coefficients, Exponential(), share(dt))).error.norm().item()
        for dt in (2e-3, 1e-3)
    ]
    assert estimates[0] / estimates[1] == pytest.approx(8.0, rel=0.2)


def test_dense_output_is_the_flow_between_the_ends():
    theta, start, flow, coefficients = problem("square", members=3)
    sizes = torch.tensor([0.5, 2.0, 8.0], dtype=torch.float64)
    batch = batch_at_start(flow, coefficients, Exponential(), sizes)
    proposal = Exponential().step(batch)
    dense = Exponential().dense_output(batch, proposal, torch.tensor([2, 0, 1])).select(torch.tensor([0, 2]))
    ends = dense.weights_at(share(1.0, 2))[0]
    torch.testing.assert_close(ends, proposal.weights[0][[2, 1]])
    middle = dense.weights_at(torch.tensor([0.25, 0.5], dtype=torch.float64))[0].squeeze(-1)
    for row, (member, t) in enumerate([(2, 2.0), (1, 1.0)]):
        exact = Y + torch.matrix_exp(-2 * t * theta[member] / N) @ (start[member] - Y)
        torch.testing.assert_close(start[member] + theta[member] @ middle[row], exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("z", [0.0, 1e-12, 1e-3, 9.999e-3, 1.0001e-2, 1.0, 50.0])
def test_psi_has_all_its_digits_on_both_sides_of_where_its_series_ends(z):
    """The series leaves z⁴/720, 1.4e-11 at its end; beyond, (z - 1 + exp(-z))/z² loses 1/z² of rounding."""
    with mpmath.workdps(40):
        exact = (mpmath.mpf(z) - 1 + mpmath.exp(-mpmath.mpf(z))) / mpmath.mpf(z) ** 2 if z else mpmath.mpf(0.5)
    assert _psi(torch.tensor([z], dtype=torch.float64)).item() == pytest.approx(float(exact), rel=1e-10)
