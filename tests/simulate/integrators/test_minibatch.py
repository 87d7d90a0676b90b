"""Stochastic gradient descent and Adam: against independent solutions, and as neighbours in a batch."""

import math

import numpy as np
import pytest
import torch
from flow_problem import accept, after_equal_steps, batch_at_start, duration, flat, small_problem
from small_campaign import trained

from simulate.campaign.dynamics import Adam
from simulate.integrators.minibatch import AdamUpdate, Minibatches, SGDUpdate
from simulate.integrators.minibatch_draws import MinibatchDraws
from simulate.training.status import Status


def test_full_batches_of_sgd_are_steps_of_euler():
    flow, start = small_problem("logistic")
    seed_of = torch.zeros(1, dtype=torch.int64)
    draws = MinibatchDraws(flow.network, 0, [0], seed_of)
    stepper = Minibatches(SGDUpdate(), draws, batch_size=8, size=duration(0.05))
    weights, expected = after_equal_steps(flow, start, stepper, 0.15, 3), start
    for _ in range(3):
        point = flow(expected)
        expected = [w + 0.05 * g for w, g in zip(expected, point.weight_velocity(), strict=True)]
    np.testing.assert_allclose(flat(weights), flat(expected), rtol=1e-13)


def test_adam_takes_the_steps_of_torch():
    flow, start = small_problem("logistic")
    dynamics = Adam(name="adam", learning_rate=1e-2, batch_size=8)
    draws = MinibatchDraws(flow.network, 0, [0], torch.zeros(1, dtype=torch.int64))
    stepper = Minibatches(AdamUpdate(dynamics), draws, batch_size=8, size=duration(1e-2))
    weights = after_equal_steps(flow, start, stepper, 1.0, 5)
    expected = [w.clone().requires_grad_() for w in start]
    optimizer = torch.optim.Adam(expected, lr=1e-2)
    scale = flow.alpha.item() / math.sqrt(flow.network.width)
    for _ in range(5):
        point = flow([w.detach() for w in expected])
        for w, g in zip(expected, point.weight_velocity(), strict=True):
            w.grad = -scale * g
        optimizer.step()
    np.testing.assert_allclose(flat(weights), flat([w.detach() for w in expected]), rtol=1e-10)


def test_cold_sgd_is_gradient_flow():
    sgd = trained(dynamics={"name": "sgd", "temperature": 5e-4, "batch_size": 4}, max_steps=10_000, root_h_alpha=[1.0])
    flow = trained(root_h_alpha=[1.0])
    assert (sgd.status == Status.CONVERGED).all()
    np.testing.assert_allclose(sgd.kernel_change, flow.kernel_change, rtol=0.05)
    np.testing.assert_allclose(sgd.time_half, flow.time_half, rtol=0.05)


@pytest.mark.parametrize("dynamics", [{"name": "sgd", "temperature": 2e-2}, {"name": "adam", "learning_rate": 1e-2}])
def test_minibatches_do_not_depend_on_the_other_networks(dynamics):
    dynamics = dynamics | {"batch_size": 5}
    together, alone = trained(dynamics=dynamics), trained(seeds=(1, 2), dynamics=dynamics)
    assert (together.status == Status.CONVERGED).all()
    for name in ("kernel_change", "time_end"):
        np.testing.assert_allclose(together[name].isel(seed=[1]), alone[name], rtol=1e-9)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_the_hinge_loss_is_for_discrete_dynamics(name):
    size = {"sgd": {"temperature": 1e-2}, "adam": {"learning_rate": 1e-2}}[name]
    dynamics = size | {"name": name, "batch_size": 4}
    assert (trained(dynamics=dynamics, loss="hinge").status == Status.CONVERGED).all()


def test_a_network_that_sgd_blows_up_leaves_alone():
    flow, start = small_problem("square", alpha=1.0)
    together = flow.select(torch.zeros(2, dtype=torch.int64))
    seed_of = torch.zeros(2, dtype=torch.int64)
    sizes = torch.tensor([1e-2, 1e9], dtype=torch.float64)
    draws = MinibatchDraws(flow.network, 0, [0], seed_of)
    stepper = Minibatches(SGDUpdate(), draws, batch_size=2, size=sizes)
    batch = batch_at_start(together, [w.repeat(2, 1, 1) for w in start], stepper, sizes)
    for _ in range(4):
        batch = accept(batch, stepper.step(batch))
    alone = Minibatches(SGDUpdate(), draws, batch_size=2, size=sizes[:1])
    assert not torch.isfinite(batch.point.output[1]).all()
    expected = flow(after_equal_steps(flow, start, alone, 4e-2, 4)).output[0]
    np.testing.assert_allclose(batch.point.output[0], expected, rtol=1e-9)
