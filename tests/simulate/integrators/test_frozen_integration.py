"""The flow of a frozen kernel in function space: against a tight integration, and the progress along its path."""

import pytest
import torch
from flow_problem import duration, small_problem

from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES
from simulate.integrators.frozen_flow import FrozenFlow
from simulate.integrators.frozen_integration import integrate_frozen_flow


@pytest.mark.parametrize("loss", ["softhinge", "logistic", "quadratic_hinge"])
def test_the_frozen_flow_agrees_with_a_tight_one(loss):
    """Against itself at a tolerance a thousandth of it, and its path against shorter ones, between nodes too."""
    flow, weights = small_problem(loss)
    theta, scale, end = flow(weights).linearisation.kernel(), torch.tensor([0.3], dtype=torch.float64), 20.0
    model, start = frozen_flow(theta, flow.loss, flow.y, torch.zeros_like(flow.output_initial))
    point = model(start)

    def path(until, tolerance):
        frozen = FrozenFlow.frozen_at(model, point, theta.clone())
        return integrate_frozen_flow(frozen, duration(until), scale, tolerance)

    rough = path(end, 1e-3)
    for share in (0.13, 0.5, 1.0):
        exact = torch.bmm(theta, path(share * end, 1e-6).p[-1].unsqueeze(-1))
        p, _ = rough.coefficients_at(torch.tensor([share], dtype=torch.float64))
        torch.testing.assert_close(torch.bmm(theta, p.unsqueeze(-1)), exact, rtol=0, atol=5e-3)


def test_coefficients_that_the_kernel_does_not_see_leave_the_way_of_the_weights_defined():
    """Contradictory labels on one point: M is zero along them, and what rounding leaves of it says nothing."""
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(1, 9, 4, generator=generator, dtype=torch.float64)
    features -= features.mean(1, keepdim=True)
    zero, one = torch.zeros((1, 9), dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    frozen = FrozenFlow(LOSSES["logistic"], features @ features.mT, zero.unsqueeze(1), zero + 1.0)
    path = integrate_frozen_flow(frozen, 100.0 * one, one, 1e-3)
    assert (path.v[0] * path.p[-1]).sum().item() == pytest.approx(1.0)
    assert path.q[-1].abs().max() <= path.p[-1].abs().max()


@pytest.mark.parametrize("by_weights", [True, False])
def test_progress_is_that_of_the_weights_or_of_the_coefficients(by_weights):
    flow, weights = small_problem("logistic")
    point, one = flow(weights), torch.ones(1, dtype=torch.float64)
    theta = point.linearisation.kernel()
    frozen = FrozenFlow.frozen_at(flow, point, theta.clone(), by_weights=by_weights)
    path = integrate_frozen_flow(frozen, 50.0 * one, one, 1e-3)
    end = path.p[-1, 0]
    towards = theta[0] @ end if by_weights else end
    torch.testing.assert_close(path.v[0, 0], towards / (towards @ end))


def test_members_that_arrive_at_different_times_do_not_change_each_other():
    """Spans from a tenth to a thousand, in one batch and alone; one that is not a number spoils its own path alone."""
    flow, weights = small_problem("softhinge")
    theta, one = flow(weights).linearisation.kernel(), torch.ones(1, dtype=torch.float64)
    spans = torch.tensor([0.1, 1000.0, 3.0, 30.0], dtype=torch.float64)
    index = torch.zeros(4, dtype=torch.int64)
    together, kernels = flow.select(index), theta[index].clone()
    kernels[2] = torch.nan
    frozen = FrozenFlow.frozen_at(together, together([w[index] for w in weights]), kernels)
    path = integrate_frozen_flow(frozen, spans, one.expand(4), 1e-3)
    assert path.p[-1].isnan().any(dim=-1).tolist() == [False, False, True, False]
    for m in (0, 1, 3):
        alone = FrozenFlow.frozen_at(flow, flow(weights), theta.clone())
        expected = integrate_frozen_flow(alone, spans[m : m + 1], one, 1e-3)
        torch.testing.assert_close(path.p[-1, m], expected.p[-1, 0], rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(path.time[-1, m], spans[m], rtol=0, atol=0)


def test_margins_after_a_change_are_the_margins_there():
    generator = torch.Generator().manual_seed(3)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    features = draw(2, 5, 4)
    frozen = FrozenFlow(LOSSES["softhinge"], features @ features.mT, draw(2, 1, 5), draw(2, 5))
    curved = frozen.with_second_order(draw(2, 5), draw(2, 5))
    e, change = draw(2, 1, 5), draw(2, 1, 5)
    for flow in (frozen, curved):
        moved = flow.margins_after(flow.linear_margins(e, flow.margins(e)), change)
        torch.testing.assert_close(moved, flow.margins(e + change))
    step = 1e-6 * change  # the rate is the derivative of the margins, to first order of the step
    difference = curved.margins(e + step) - curved.margins(e)
    torch.testing.assert_close(curved.margin_rate(e, step), difference, rtol=1e-4, atol=1e-9)
