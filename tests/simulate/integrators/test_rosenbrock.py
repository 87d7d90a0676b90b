"""The step is of its stated order for the flow of a network, and damps what is stiff."""

import numpy as np
import pytest
import torch
from flow_problem import duration, flat, reference, small_problem

from simulate.integrators.rosenbrock import Parabola, Rosenbrock, step


@pytest.mark.parametrize("loss", ["logistic", "square"])
def test_the_error_falls_with_the_stated_order(loss):
    end = 2.0
    flow, start = small_problem(loss)
    exact = reference(flow, start, end)
    errors = []
    for count in (16, 32, 64):
        weights = start
        for _ in range(count):
            point = flow(weights)
            weights = step(flow, weights, point, torch.tensor([end / count], dtype=torch.float64)).weights
        errors.append(np.abs(flat(weights) - exact).max())
    observed = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    # halving the step divides the error by 4 up to the next order's share of it
    assert observed == pytest.approx(Rosenbrock.order, abs=0.25)


def test_a_step_far_beyond_the_stability_limit_of_explicit_methods_lands_near_the_minimum():
    """The largest eigenvalue of the flow is lambda_max(Theta) l''/n; explicit steps blow up beyond 2/lambda."""
    flow, weights = small_problem("square", alpha=1e4)  # lazy: F obeys a linear equation with the kernel
    point = flow(weights)
    slowest = 2 * torch.linalg.eigvalsh(point.linearisation.kernel())[0, 0].item() / 8
    proposal = step(flow, weights, point, duration(1e3 / slowest))
    # L-stability: what remains of every mode is O(1/(dt lambda)) of the initial distance 1
    assert (proposal.point.output - flow.y).abs().max() < 0.05


def test_the_error_estimate_is_that_of_the_embedded_first_order_solution():
    flow, weights = small_problem("logistic")
    point = flow(weights)
    sizes = [step(flow, weights, point, duration(dt)).error.norm().item() for dt in (0.02, 0.01)]
    assert np.log2(sizes[0] / sizes[1]) == pytest.approx(Rosenbrock.order, abs=0.1)


@pytest.mark.parametrize("loss", ["logistic", "softhinge"])
def test_between_its_ends_a_step_is_as_good_as_at_its_end(loss):
    """Dense output of order 2, with the implicit solve (logistic) and without it (softhinge far from its margin)."""
    flow, weights = small_problem(loss)
    point = flow(weights)
    errors = []
    for dt in (0.02, 0.01):
        proposal = step(flow, weights, point, duration(dt))
        stage = point.linearisation.add_pullback(weights, proposal.first_order)
        for share, exact in ((0.6, reference(flow, weights, 0.6 * dt)), (1.0, reference(flow, weights, dt))):
            between = Parabola(weights, stage, proposal.weights).weights_at(torch.tensor([share], dtype=torch.float64))
            errors.append(np.abs(flat(between) - exact).max())
    inside, end = np.log2(np.array(errors[:2]) / np.array(errors[2:]))
    # local errors: dt³ at the end; inside dt² times what T leaves of the Jacobian, a small factor for these losses
    assert end > Rosenbrock.order + 0.7
    assert inside > Rosenbrock.order - 0.3


def test_members_that_need_no_implicit_solve_do_not_change_those_that_do():
    """Four networks of one batch at steps from far below to far beyond stiffness, against each alone."""
    flow, start = small_problem("logistic")
    members, index = 4, torch.zeros(4, dtype=torch.int64)
    together, weights = flow.select(index), [w[index] for w in start]
    sizes = torch.tensor([1e-3, 30.0, 1e-2, 300.0], dtype=torch.float64)
    proposal = step(together, weights, together(weights), sizes)
    for m in range(members):
        alone = step(flow, start, flow(start), sizes[m : m + 1])
        torch.testing.assert_close(proposal.point.output[m], alone.point.output[0], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(proposal.error[m], alone.error[0], rtol=1e-9, atol=1e-12)
