"""Stiff steps in function space: exact where the kernel is constant, of order 2 in its change."""

import numpy as np
import pytest
import torch
from flow_problem import after_equal_steps, batch_at_start, duration, flat, reference, small_problem

from simulate.integrators.relaxation import Relaxation


def stepper(members=1, tolerance=1e-4):
    return Relaxation(torch.full((members,), 0.3, dtype=torch.float64), tolerance)


@pytest.mark.parametrize(("loss", "end"), [("logistic", 2.0), ("square", 2.0), ("softhinge", 0.5)])
def test_the_error_falls_with_order_two(loss, end):
    flow, start = small_problem(loss)
    exact = reference(flow, start, end)
    errors = []
    for count in (8, 16, 32):
        weights = after_equal_steps(flow, start, stepper(tolerance=1e-6), end, count)
        errors.append(np.abs(flat(weights) - exact).max())
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(2.0, abs=0.35)


def test_the_estimate_falls_as_the_error_of_a_step():
    flow, weights = small_problem("logistic")
    sizes, errors = [], []
    for dt in (0.4, 0.2):
        proposal = stepper(tolerance=1e-7).step(batch_at_start(flow, weights, stepper(), duration(dt)))
        sizes.append(proposal.error.norm().item())
        errors.append(np.abs(flat(proposal.weights) - reference(flow, weights, dt)).max())
    assert np.log2(sizes[0] / sizes[1]) == pytest.approx(Relaxation.order, abs=0.35)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(3.0, abs=0.35)


@pytest.mark.parametrize(("loss", "sizes"), [("logistic", (0.4, 0.2)), ("softhinge", (0.04, 0.02))])
def test_between_its_ends_a_step_is_as_good_as_at_its_end(loss, sizes):
    flow, weights = small_problem(loss)
    errors = []
    for dt in sizes:
        batch = batch_at_start(flow, weights, stepper(), duration(dt))
        method = stepper(tolerance=1e-7)
        proposal = method.step(batch)
        dense_output = method.dense_output(batch, proposal, torch.tensor([0]))
        for share in (0.35, 0.7, 1.0):
            between = flat(dense_output.weights_at(torch.tensor([share], dtype=torch.float64)))
            errors.append(np.abs(between - reference(flow, weights, share * dt)).max())
        np.testing.assert_allclose(between, flat(proposal.weights), rtol=0, atol=1e-12)
    first, second = np.array(errors[:3]), np.array(errors[3:])
    assert (np.log2(first / second) > 2.5).all()
    assert (first[:2] < 1.5 * first[2]).all()


def test_in_the_lazy_limit_one_step_is_the_whole_way():
    """The square loss of a linear model has a closed form, which a step of any size reaches."""
    flow, weights = small_problem("square", alpha=1e5)
    start = batch_at_start(flow, weights, stepper(), duration(0.0))
    values, vectors = torch.linalg.eigh(start.point.linearisation.kernel()[0])
    for dt in (0.3, 30.0, 3000.0):
        proposal = stepper(tolerance=1e-3).step(batch_at_start(flow, weights, stepper(), duration(dt)))
        gone = vectors @ (-torch.expm1(-2.0 * dt * values / 8) * (vectors.T @ flow.y))
        torch.testing.assert_close(proposal.point.output[0], gone, rtol=0, atol=2e-3)
        assert proposal.error.abs().max() < 1e-3


def test_what_a_step_expects_of_outputs_on_its_way_is_near_what_they_are():
    """In one step from the start to beyond the margin, a straight line between the ends is far off."""
    flow, weights = small_problem("softhinge", alpha=30.0)
    method = stepper(tolerance=1e-3)
    batch = batch_at_start(flow, weights, method, duration(60.0))
    proposal = method.step(batch)
    dense_output = method.dense_output(batch, proposal, torch.tensor([0]))
    shares, outputs = dense_output.predict_outputs(batch.point.output, proposal.point.output)
    straight, seen = torch.lerp(batch.point.output, proposal.point.output, shares.unsqueeze(-1)), []
    for share in shares:
        seen.append(flow.predictor(flow.network.output(dense_output.weights_at(share), flow.inputs)))
    off = (outputs - torch.stack(seen)).abs().amax()
    assert (shares.diff(dim=0) >= 0).all()
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    torch.testing.assert_close(outputs[-1], proposal.point.output)
    assert off < 0.1 * (straight - torch.stack(seen)).abs().amax()


def test_a_force_that_changes_within_the_step_is_followed():
    """From far below the margin, where the curvature of the soft hinge is nothing, to beyond it in one step."""
    flow, weights = small_problem("softhinge", alpha=1e5)
    method = stepper(tolerance=1e-4)
    once = method.step(batch_at_start(flow, weights, method, duration(60.0)))
    often = after_equal_steps(flow, weights, method, 60.0, 60)
    torch.testing.assert_close(once.point.output, flow(often).output, rtol=0, atol=2e-3)
