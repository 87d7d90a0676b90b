"""Flow with a frozen kernel: the function-space equation itself, whatever alpha is."""

import pytest
import torch

from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(2, 5, 7, generator=generator, dtype=torch.float64)
    theta, y = features @ features.mT, torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0], dtype=torch.float64)
    start = 0.1 * torch.randn(2, 5, generator=generator, dtype=torch.float64)
    return theta, y, start, *frozen_flow(theta, LOSSES["logistic"], y, start)


def test_outputs_start_where_they_are_told_to(problem):
    _, _, start, flow, coefficients = problem
    torch.testing.assert_close(flow(coefficients).output, start)


def test_outputs_move_by_the_kernel_times_the_slope_of_the_loss(problem):
    """dF/dt = -Theta l'(F y) y / n."""
    theta, y, start, flow, coefficients = problem
    point = flow(coefficients)
    rate = point.linearisation.pushforward(point.weight_velocity())
    expected = -(theta @ (flow.loss.slope(start * y) * y / 5).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(rate, expected, rtol=1e-13, atol=1e-13)


def test_its_tangent_kernel_is_the_frozen_one_wherever_it_is(problem):
    theta, _, _, flow, coefficients = problem
    moved = flow([p + 1.0 for p in coefficients])
    torch.testing.assert_close(moved.linearisation.kernel(), theta)
    torch.testing.assert_close(moved.linearisation.kernel_trace(), torch.einsum("mii->m", theta))


def test_the_norm_of_a_change_is_that_of_the_weights_that_it_stands_for(problem):
    """With Theta = J J^T, coefficients v stand for weights J^T v, whose norm is sqrt(v Theta v)."""
    theta, _, _, flow, _ = problem
    v = torch.linspace(-1.0, 1.0, 10, dtype=torch.float64).view(2, 5, 1)
    expected = (torch.linalg.cholesky(theta).mT @ v).norm(dim=(1, 2))
    torch.testing.assert_close(flow.inputs.norm(v), expected)
