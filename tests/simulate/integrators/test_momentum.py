"""Flow with momentum: its order, and its limit of gradient flow."""

import numpy as np
import pytest
import torch
from flow_problem import after_equal_steps, flat, small_problem
from scipy.integrate import solve_ivp
from small_campaign import FIELDS, trained

from simulate import Campaign
from simulate.integrators.build import momentum_time
from simulate.integrators.momentum import MomentumRosenbrock
from simulate.training.status import Status


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
    errors = [np.abs(flat(after_equal_steps(flow, start, stepper, 2.0, count)) - exact).max() for count in (16, 32, 64)]
    # halving the step divides the error by 4 up to the next order's share of it
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize(("growth", "order"), [(1e-3, 2.0), (1.0, 1.5)])
def test_a_tau_that_grows_with_time_leaves_the_order(growth, order):
    """tau = growth·t; where that is no small lag, first steps, in which tau doubles, cost a logarithm.

    The exact solution starts at t = 1e-9, where tau is as good as zero and v is the flow's.
    """
    flow, start = small_problem("logistic", depth=1)
    first, last = 1e-9, 2.0
    sizes = np.cumsum([w.numel() for w in start])

    def g(w):
        parts = zip(np.split(w, sizes[:-1]), start, strict=True)
        return flat(flow([torch.as_tensor(p).reshape(q.shape) for p, q in parts]).weight_velocity())

    def rate(t, state):
        w, v = np.split(state, 2)
        return np.concatenate([v, (g(w) - v) / (growth * t)])

    initial = np.concatenate([flat(start), g(flat(start))])
    exact = solve_ivp(rate, (first, last), initial, method="Radau", rtol=1e-8, atol=1e-10).y[: sizes[-1], -1]
    stepper = MomentumRosenbrock(torch.zeros(1, dtype=torch.float64), growth)
    errors = [
        np.abs(flat(after_equal_steps(flow, start, stepper, last, count)) - exact).max() for count in (16, 32, 64)
    ]
    assert np.log2(np.array(errors[:-1]) / np.array(errors[1:])) == pytest.approx(order, abs=0.3)


def test_the_articles_momentum_is_all_but_gradient_flow():
    """tau = 1e-3 t: the velocity lags by a thousandth of the time."""
    flow = trained(seeds=(0, 1))
    momentum = trained(seeds=(0, 1), dynamics={"name": "momentum", "growth": 1e-3})
    assert (momentum.status == Status.CONVERGED).all()
    for name in ("kernel_change", "time_half", "time_linear"):
        np.testing.assert_allclose(momentum[name], flow[name], rtol=0.02, err_msg=name)
        assert (momentum[name] != flow[name]).any()


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


def test_the_time_of_momentum_is_tau_a_up_to_tau_max():
    """tau = min(tau A, tau_max), article time; without momentum it is zero."""
    amplitudes = torch.tensor([1e-2, 1.0, 3.0, 100.0], dtype=torch.float64)
    dynamics = {"name": "momentum", "tau": 0.5, "tau_max": 1.5}
    with_momentum, without = (
        Campaign.from_dict({"name": "x", "experiment": [FIELDS | changes]}).experiment[0]
        for changes in ({"dynamics": dynamics}, {})
    )
    assert momentum_time(with_momentum, amplitudes).tolist() == [0.005, 0.5, 1.5, 1.5]
    assert momentum_time(without, amplitudes).tolist() == [0.0, 0.0, 0.0, 0.0]
