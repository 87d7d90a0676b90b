"""The flow of a frozen kernel in function space, against the network that it was frozen at."""

import pytest
import torch
from flow_problem import small_problem

from simulate.integrators.frozen_flow import FrozenFlow


@pytest.fixture(params=["logistic", "softhinge"])
def frozen_and_point(request):
    flow, weights = small_problem(request.param)
    point = flow(weights)
    theta = point.linearisation.kernel()
    return FrozenFlow.frozen_at(flow, point, theta.clone()), flow, point, theta


def test_margins_at_the_start_are_the_networks(frozen_and_point):
    frozen, flow, point, _ = frozen_and_point
    torch.testing.assert_close(frozen.margins(torch.zeros_like(frozen.margin))[:, 0], point.output * flow.y)


def test_margins_are_those_of_the_linearised_network(frozen_and_point):
    """u = (F_0 + alpha Theta p) y at coefficients p = p_per_e · e."""
    frozen, flow, point, theta = frozen_and_point
    e = torch.linspace(-1.0, 1.0, 8, dtype=torch.float64).view(1, 1, 8)
    p = frozen.p_per_e * e[:, 0]
    linear = point.output + flow.alpha.unsqueeze(-1) * (theta @ p.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(frozen.margins(e)[:, 0], linear * flow.y)


def test_the_second_order_is_the_excess_at_the_end_and_a_quarter_of_it_half_way(frozen_and_point):
    frozen, _, _, _ = frozen_and_point
    end, excess = (torch.linspace(*ends, 8, dtype=torch.float64).unsqueeze(0) for ends in ((0.1, 1.0), (-1.0, 2.0)))
    curved = frozen.with_second_order(excess, end * frozen.p_per_e)
    for share in (0.5, 1.0):
        e = (share * end).unsqueeze(1)
        difference = (curved.margins(e) - frozen.margins(e))[:, 0]
        torch.testing.assert_close(difference, share**2 * excess, rtol=1e-9, atol=1e-9)


def test_progress_is_one_at_the_end(frozen_and_point):
    frozen, _, _, _ = frozen_and_point
    end = torch.linspace(0.1, 1.0, 8, dtype=torch.float64).unsqueeze(0)
    assert (frozen.progress_vector(end) * end).sum().item() == pytest.approx(1.0)
