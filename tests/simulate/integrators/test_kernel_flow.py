"""Steps in function space: exact where the kernel is constant, of order 2 in its change, each member for itself."""

import numpy as np
import pytest
import torch
from flow_problem import batch, duration, flat, follow, reference, small_problem

from simulate.dynamics.frozen_kernel import frozen_flow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import KernelFlow
from simulate.integrators.frozen_flow import FrozenFlow
from simulate.integrators.frozen_flow import follow as follow_frozen


def stepper(members=1, tolerance=1e-4):
    return KernelFlow(torch.full((members,), 0.3, dtype=torch.float64), tolerance)


@pytest.fixture
def always_stiff(monkeypatch):
    """No step is explicit."""
    monkeypatch.setattr("simulate.integrators.kernel_flow._STIFF", 0.0)


@pytest.mark.parametrize(("loss", "end"), [("logistic", 2.0), ("square", 2.0), ("softhinge", 0.5)])
def test_the_error_falls_with_order_two(loss, end, always_stiff):
    flow, start = small_problem(loss)
    exact = reference(flow, start, end)
    errors = [
        np.abs(flat(follow(flow, start, stepper(tolerance=1e-6), end, count)) - exact).max() for count in (8, 16, 32)
    ]
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(2.0, abs=0.35)


def test_in_the_lazy_limit_one_step_is_the_whole_way():
    """The square loss of a linear model has a closed form, which a step of any size reaches."""
    flow, weights = small_problem("square", alpha=1e5)
    start = batch(flow, weights, stepper(), duration(0.0))
    values, vectors = torch.linalg.eigh(start.point.linearisation.kernel()[0])
    for dt in (0.3, 30.0, 3000.0):
        proposal = stepper(tolerance=1e-3).step(batch(flow, weights, stepper(), duration(dt)))
        gone = vectors @ (-torch.expm1(-2.0 * dt * values / 8) * (vectors.T @ flow.y))
        torch.testing.assert_close(proposal.point.output[0], gone, rtol=0, atol=2e-3)
        assert proposal.error.abs().max() < 1e-3


def test_the_estimate_falls_as_the_error_of_a_step(always_stiff):
    flow, weights = small_problem("logistic")
    sizes, errors = [], []
    for dt in (0.4, 0.2):
        proposal = stepper(tolerance=1e-7).step(batch(flow, weights, stepper(), duration(dt)))
        sizes.append(proposal.error.norm().item())
        errors.append(np.abs(flat(proposal.weights) - reference(flow, weights, dt)).max())
    assert np.log2(sizes[0] / sizes[1]) == pytest.approx(KernelFlow.order, abs=0.35)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(3.0, abs=0.35)


@pytest.mark.parametrize(("loss", "sizes"), [("logistic", (0.4, 0.2)), ("softhinge", (0.04, 0.02))])
def test_between_its_ends_a_step_is_as_good_as_at_its_end(loss, sizes, always_stiff):
    flow, weights = small_problem(loss)
    errors = []
    for dt in sizes:
        state = batch(flow, weights, stepper(), duration(dt))
        method = stepper(tolerance=1e-7)
        proposal = method.step(state)
        dense_output = method.dense_output(state, proposal, torch.tensor([0]))
        for share in (0.35, 0.7, 1.0):
            found = flat(dense_output.at(torch.tensor([share], dtype=torch.float64)))
            errors.append(np.abs(found - reference(flow, weights, share * dt)).max())
        np.testing.assert_allclose(found, flat(proposal.weights), rtol=0, atol=1e-12)
    first, second = np.array(errors[:3]), np.array(errors[3:])
    assert (np.log2(first / second) > 2.5).all()
    assert (first[:2] < 1.5 * first[2]).all()


def test_what_a_step_expects_of_outputs_on_its_way_is_near_what_they_are():
    """In one step from the start to beyond the margin, a straight line between the ends is far off."""
    flow, weights = small_problem("softhinge", alpha=30.0)
    method = stepper(tolerance=1e-3)
    state = batch(flow, weights, method, duration(60.0))
    proposal = method.step(state)
    dense_output = method.dense_output(state, proposal, torch.tensor([0]))
    shares, outputs = dense_output.expected(state.point.output, proposal.point.output)
    straight, seen = torch.lerp(state.point.output, proposal.point.output, shares.unsqueeze(-1)), []
    for share in shares:
        seen.append(flow.predictor(flow.network.output(dense_output.at(share), flow.inputs)))
    off = (outputs - torch.stack(seen)).abs().amax()
    assert (shares.diff(dim=0) >= 0).all()
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    torch.testing.assert_close(outputs[-1], proposal.point.output)
    assert off < 0.1 * (straight - torch.stack(seen)).abs().amax()


def test_a_force_that_changes_within_the_step_is_followed():
    """From far below the margin, where the curvature of the soft hinge is nothing, to beyond it in one step."""
    flow, weights = small_problem("softhinge", alpha=1e5)
    method = stepper(tolerance=1e-4)
    once = method.step(batch(flow, weights, method, duration(60.0)))
    often = follow(flow, weights, method, 60.0, 60)
    torch.testing.assert_close(once.point.output, flow(often).output, rtol=0, atol=2e-3)


def test_members_do_not_change_each_other():
    """Four networks of one batch at steps from far below to far beyond stiffness, against each alone."""
    flow, start = small_problem("logistic")
    index = torch.zeros(4, dtype=torch.int64)
    together, weights = flow.select(index), [w[index] for w in start]
    sizes = torch.tensor([1e-3, 30.0, 1e-2, 300.0], dtype=torch.float64)
    proposal = stepper(4).step(batch(together, weights, stepper(4), sizes))
    for m in range(4):
        alone = stepper().step(batch(flow, start, stepper(), sizes[m : m + 1]))
        torch.testing.assert_close(proposal.point.output[m], alone.point.output[0], rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(proposal.error[m], alone.error[0], rtol=1e-9, atol=1e-11)


def test_a_step_whose_forces_turn_is_done_again_with_its_kernel_and_no_other_is():
    """Far below the margin of the soft hinge curvature says nothing; where the first force leads, it is known."""
    flow, start = small_problem("softhinge", alpha=1e5)
    index = torch.zeros(3, dtype=torch.int64)
    together, weights = flow.select(index), [w[index] for w in start]
    sizes = torch.tensor([1e-3, 60.0, 2e-3], dtype=torch.float64)
    method = stepper(3, tolerance=1e-4)
    proposal = method.step(batch(together, weights, method, sizes))
    assert proposal.evaluations.tolist() == [2, 3, 2]
    assert proposal.state[0].tolist() == [1e-3, torch.inf, 2e-3]
    index, share = torch.tensor([2, 1, 0]), torch.tensor([0.5, 0.7, 1.0], dtype=torch.float64)
    whole = batch(together, weights, method, sizes)
    between = method.dense_output(whole, proposal, index)
    for k in range(3):
        own = method.dense_output(whole, proposal, index[[k]]).at(share[[k]])
        chosen = between.select(torch.tensor([2, k])).at(share[[2, k]])
        for w_together, w_own, w_chosen in zip(between.at(share), own, chosen, strict=True):
            torch.testing.assert_close(w_together[k], w_own[0])
            torch.testing.assert_close(w_chosen[1], w_own[0])
    torch.testing.assert_close([w[2] for w in between.at(share)], [w[0] for w in proposal.weights])
    ends = whole.point.output[index], proposal.point.output[index]
    shares, outputs = between.expected(*ends)
    for k in range(3):
        own, seen = method.dense_output(whole, proposal, index[[k]]).expected(*(end[[k]] for end in ends))
        torch.testing.assert_close(shares[: len(own), k], own[:, 0])
        torch.testing.assert_close(outputs[: len(own), k], seen[:, 0])
        assert (shares[len(own) :, k] == 1.0).all()
    for m in range(3):
        method = stepper(tolerance=1e-4)
        alone = method.step(batch(flow, start, method, sizes[m : m + 1]))
        torch.testing.assert_close(proposal.point.output[m], alone.point.output[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(proposal.error[m], alone.error[0], rtol=1e-7, atol=1e-9)
    often = follow(flow, start, stepper(tolerance=1e-4), 60.0, 60)
    torch.testing.assert_close(proposal.point.output[1], flow(often).output[0], rtol=0, atol=2e-3)


def test_a_member_that_breaks_spoils_its_own_step_alone():
    flow, start = small_problem("logistic")
    index = torch.zeros(2, dtype=torch.int64)
    weights = [w[index].clone() for w in start]
    weights[1][1] = torch.nan
    proposal = stepper(2).step(
        batch(flow.select(index), weights, stepper(2), torch.full((2,), 5.0, dtype=torch.float64))
    )
    alone = stepper().step(batch(flow, start, stepper(), duration(5.0)))
    torch.testing.assert_close(proposal.point.output[0], alone.point.output[0], rtol=1e-11, atol=1e-11)
    assert proposal.point.output[1].isnan().all()


@pytest.mark.parametrize("loss", ["softhinge", "logistic", "quadratic_hinge"])
def test_the_frozen_flow_agrees_with_a_tight_one(loss):
    """Against itself at a tolerance a thousandth of it, and its path against shorter ones, between nodes too."""
    flow, weights = small_problem(loss)
    theta, scale, end = flow(weights).linearisation.kernel(), torch.tensor([0.3], dtype=torch.float64), 20.0
    model, start = frozen_flow(theta, flow.loss, flow.y, torch.zeros_like(flow.output_initial))
    point = model(start)

    def path(until, tolerance):
        return follow_frozen(FrozenFlow.of(model, point, theta.clone()), duration(until), scale, tolerance)

    rough = path(end, 1e-3)
    for share in (0.13, 0.5, 1.0):
        exact = torch.bmm(theta, path(share * end, 1e-6).p[-1].unsqueeze(-1))
        p, _ = rough.at(torch.tensor([share], dtype=torch.float64))
        torch.testing.assert_close(torch.bmm(theta, p.unsqueeze(-1)), exact, rtol=0, atol=5e-3)


def test_coefficients_that_the_kernel_does_not_see_leave_the_way_of_the_weights_defined():
    """Contradictory labels on one point: M is zero along them, and what rounding leaves of it says nothing."""
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(1, 9, 4, generator=generator, dtype=torch.float64)
    features -= features.mean(1, keepdim=True)
    zero, one = torch.zeros((1, 9), dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    frozen = FrozenFlow(LOSSES["logistic"], features @ features.mT, zero.unsqueeze(1), zero + 1.0)
    path = follow_frozen(frozen, 100.0 * one, one, 1e-3)
    assert (path.v[0] * path.p[-1]).sum().item() == pytest.approx(1.0)
    assert path.late[-1].abs().max() <= path.p[-1].abs().max()


@pytest.mark.parametrize("by_weights", [True, False])
def test_the_way_that_is_gone_is_that_of_the_weights_or_of_the_coefficients(by_weights):
    flow, weights = small_problem("logistic")
    point, one = flow(weights), torch.ones(1, dtype=torch.float64)
    theta = point.linearisation.kernel()
    path = follow_frozen(FrozenFlow.of(flow, point, theta.clone(), by_weights=by_weights), 50.0 * one, one, 1e-3)
    end = path.p[-1, 0]
    towards = theta[0] @ end if by_weights else end
    torch.testing.assert_close(path.v[0, 0], towards / (towards @ end))
