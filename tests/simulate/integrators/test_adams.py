"""Explicit steps of order 3, each of its own size, and what they remember."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from flow_problem import accept, batch_at_start, duration, flat, reference, share, small_problem

from simulate.integrators.adams import Adams


def steps_of(flow, weights, sizes):
    """Yield the batch before each of the steps of these sizes, and what is proposed."""
    batch = batch_at_start(flow, weights, Adams(), duration(sizes[0]))
    for dt in sizes:
        batch = replace(batch, dt=duration(dt))
        proposal = Adams().step(batch)
        yield batch, proposal
        batch = accept(batch, proposal)


@pytest.mark.parametrize("growth", [1.0, 1.15, 0.87])
@pytest.mark.parametrize(("loss", "end"), [("logistic", 2.0), ("softhinge", 0.3)])
def test_the_error_falls_with_order_three_whatever_the_steps(loss, end, growth):
    flow, start = small_problem(loss)
    exact, errors = reference(flow, start, end), []
    for count in (12, 24, 48):
        sizes = growth ** (np.arange(count) * 12 / count)
        *_, (_, last) = steps_of(flow, start, sizes * end / sizes.sum())
        errors.append(np.abs(flat(last.weights) - exact).max())
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(3.0, abs=0.35)


def test_the_estimate_is_of_order_three_and_the_error_of_a_step_of_order_four():
    flow, start = small_problem("logistic")
    estimates, errors = [], []
    for dt in (0.1, 0.05, 0.025):
        *_, (batch, proposal) = steps_of(flow, start, [dt] * 4)
        estimates.append(proposal.error.norm().item())
        errors.append(np.abs(flat(proposal.weights) - reference(flow, batch.weights, dt)).max())
        assert errors[-1] < np.abs(flat(proposal.weights) - flat(Adams().predict(batch).weights)).max()
    assert np.log2(np.array(estimates[:-1]) / np.array(estimates[1:])) == pytest.approx(3.0, abs=0.3)
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(4.0, abs=0.5)


def test_between_its_ends_a_step_is_of_order_four_too():
    flow, start = small_problem("logistic")
    errors = []
    for dt in (0.1, 0.05):
        *_, (batch, proposal) = steps_of(flow, start, [dt] * 4)
        dense_output = Adams().dense_output(batch, proposal, torch.tensor([0]))
        for part in (0.35, 0.7, 1.0):
            weights = flat(dense_output.weights_at(share(part)))
            errors.append(np.abs(weights - reference(flow, batch.weights, part * dt)).max())
        np.testing.assert_allclose(weights, flat(proposal.weights), rtol=0, atol=1e-14)
    assert (np.log2(np.array(errors[:3]) / np.array(errors[3:])) > 3.5).all()


def test_a_first_step_is_heuns():
    flow, start = small_problem("logistic")
    ((batch, proposal),) = steps_of(flow, start, [0.3])
    g = batch.point.weight_velocity()
    euler = flow([w + 0.3 * v for w, v in zip(start, g, strict=True)])
    heun = [w + 0.15 * (a + b) for w, a, b in zip(start, g, euler.weight_velocity(), strict=True)]
    torch.testing.assert_close(proposal.weights, heun)
