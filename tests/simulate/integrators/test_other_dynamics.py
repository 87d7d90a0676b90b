"""Momentum, stochastic gradient descent and Adam: against independent solutions, and as neighbours in a batch."""

import math

import numpy as np
import pytest
import torch
from flow_problem import batch, duration, flat, follow, small_problem
from scipy.integrate import solve_ivp

from simulate import Campaign, load_data, run_task
from simulate.campaign.dynamics import SGD, Adam
from simulate.integrators.minibatch import Draws, Minibatches
from simulate.integrators.momentum import MomentumRosenbrock
from simulate.planning.tasks import campaign_tasks
from simulate.training.status import Status
from theory import InputError

FIELDS = {
    "name": "one", "dataset": "sphere", "n_train": 16, "n_test": 30, "depth": 2, "activation": "softplus",
    "widths": [24], "root_h_alpha": [1e-2, 1.0, 1e2], "seeds": 2,
}  # fmt: skip


def trained(seeds=None, **changes):
    campaign = Campaign.from_dict({"name": "x", "experiment": [FIELDS | changes]})
    (one,), (task,) = campaign.experiment, campaign_tasks(campaign)
    if seeds is not None:
        task = type(task)(task.experiment, task.index, task.width, *seeds)
    return run_task(one, task, load_data(one, None)).isel(width=0)


def second_order(flow, weights, tau, end):
    """The weights at ``end`` of dw/dt = v, tau dv/dt = g - v by DOP853."""
    sizes, start = np.cumsum([w.numel() for w in weights]), flat(weights)

    def rate(_, state):
        w, v = np.split(state, 2)
        shaped = [torch.as_tensor(p).reshape(q.shape) for p, q in zip(np.split(w, sizes[:-1]), weights, strict=True)]
        point = flow(shaped)
        return np.concatenate([v, (flat(point.weight_velocity()) - v) / tau])

    state = np.concatenate([start, np.zeros_like(start)])
    return solve_ivp(rate, (0, end), state, method="DOP853", rtol=1e-12, atol=1e-12).y[: len(start), -1]


@pytest.mark.parametrize("tau", [0.3, 3.0])
def test_momentum_is_of_order_two(tau):
    flow, start = small_problem("logistic")
    exact = second_order(flow, start, tau, 2.0)
    stepper = MomentumRosenbrock(torch.tensor([tau], dtype=torch.float64))
    errors = [np.abs(flat(follow(flow, start, stepper, 2.0, count)) - exact).max() for count in (16, 32, 64)]
    # halving the step divides the error by 4 up to the next order's share of it
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(2.0, abs=0.3)


def test_with_little_inertia_momentum_is_gradient_flow():
    flow = trained(seeds=(0, 1))
    momentum = trained(seeds=(0, 1), dynamics={"name": "momentum", "tau": 1e-8})
    # errors of both at the default tolerance; the first-order solutions start differently from rest
    np.testing.assert_allclose(momentum.kernel_change, flow.kernel_change, rtol=0.02)
    np.testing.assert_allclose(momentum.time_half, flow.time_half, rtol=0.02)
    np.testing.assert_allclose(momentum.time_linear[:2], flow.time_linear[:2], rtol=0.03)


def test_inertia_makes_training_later():
    # tau is the time scale of training itself for A << 1; for A >> 1 it is held at tau_max
    flow, momentum = trained(), trained(dynamics={"name": "momentum", "tau": 1.0})
    assert (momentum.status == Status.CONVERGED).all()
    assert (momentum.time_half > 1.05 * flow.time_half).all()


def test_full_batches_of_sgd_are_steps_of_euler():
    flow, start = small_problem("logistic")
    seed_of = torch.zeros(1, dtype=torch.int64)
    stepper = Minibatches(
        SGD(name="sgd", temperature=1.0, batch_size=8), Draws(flow.network, 0, [0], seed_of), duration(0.05)
    )
    found, expected = follow(flow, start, stepper, 0.15, 3), start
    for _ in range(3):
        point = flow(expected)
        expected = [w + 0.05 * g for w, g in zip(expected, point.weight_velocity(), strict=True)]
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-13)


def test_adam_takes_the_steps_of_torch():
    flow, start = small_problem("logistic")
    dynamics = Adam(name="adam", learning_rate=1e-2, batch_size=8)
    stepper = Minibatches(dynamics, Draws(flow.network, 0, [0], torch.zeros(1, dtype=torch.int64)), duration(1e-2))
    found = follow(flow, start, stepper, 1.0, 5)
    theirs = [w.clone().requires_grad_() for w in start]
    optimizer = torch.optim.Adam(theirs, lr=1e-2)
    scale = flow.alpha.item() / math.sqrt(flow.network.width)
    for _ in range(5):
        point = flow([w.detach() for w in theirs])
        for w, g in zip(theirs, point.weight_velocity(), strict=True):
            w.grad = -scale * g
        optimizer.step()
    np.testing.assert_allclose(flat(found), flat([w.detach() for w in theirs]), rtol=1e-10)


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
    stepper = Minibatches(SGD(name="sgd", temperature=1.0, batch_size=2), Draws(flow.network, 0, [0], seed_of), sizes)
    state = batch(together, [w.repeat(2, 1, 1) for w in start], stepper, sizes)
    proposal = stepper.step(state)
    for _ in range(3):
        state.weights, state.point, state.steps = proposal.weights, proposal.point, state.steps + 1
        proposal = stepper.step(state)
    alone = Minibatches(SGD(name="sgd", temperature=1.0, batch_size=2), Draws(flow.network, 0, [0], seed_of), sizes[:1])
    assert not torch.isfinite(proposal.point.output[1]).all()
    np.testing.assert_allclose(proposal.point.output[0], flow(follow(flow, start, alone, 4e-2, 4)).output[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dynamics": {"name": "newton"}}, "experiment[0].dynamics.name"),
        ({"dynamics": {"name": "sgd", "batch_size": 4}}, "experiment[0].dynamics.temperature"),
        ({"dynamics": {"name": "sgd", "batch_size": 17, "temperature": 1.0}}, "experiment[0].dynamics.batch_size"),
        ({"dynamics": {"name": "momentum", "integrator": "euler"}}, "experiment[0].dynamics.integrator"),
        ({"dynamics": {"name": "momentum"}, "loss": "hinge"}, "experiment[0].loss"),
        ({"dynamics": {"name": "adam"}, "loss": "hinge", "arms": ["network", "final_kernel"]}, "experiment[0].arms"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(changes, field):
    with pytest.raises(InputError) as caught:
        Campaign.from_dict({"name": "x", "experiment": [FIELDS | changes]})
    assert caught.value.field == field
