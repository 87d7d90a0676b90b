"""Frozen kernels beside networks: closed forms, the lazy limit, and the claim that final kernels do as networks do."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import brentq
from test_engine import INPUTS, WIDTH, N, experiment, points, task

from simulate.dynamics.losses import LOSSES
from simulate.measure.arms import train_with_kernel
from simulate.measure.engine import run_task
from simulate.networks.fully_connected import FullyConnected
from simulate.training.status import Status
from theory import Activation

ALL = ("network", "initial_kernel", "final_kernel", "initial_features", "final_features")


def kernels(seed=0):
    data = points()
    net = FullyConnected(INPUTS, WIDTH, 2, Activation("softplus"))
    at, test = (net.linearise(net.initial_weights(0, [seed]), torch.as_tensor(x)) for x in (data.x_train, data.x_test))
    return at.kernel(), sum(test.kernel_layers(at)), torch.as_tensor(data.y_train)


def test_with_the_square_loss_an_arm_is_the_closed_form():
    """F(t) = (1 - exp(-2 Theta t/n)) y, on test points Theta_test Theta^-1 F; the stop where the mean loss is 1e-3."""
    theta, theta_test, y = kernels()
    start, start_test = torch.zeros(1, N, dtype=torch.float64), torch.zeros_like(theta_test[..., 0])
    arm = train_with_kernel(
        theta, theta_test, start, start_test, y, loss=LOSSES["square"], tolerance=5e-3, max_steps=100
    )
    k = theta[0].numpy()

    def residual(t):
        return expm(-2.0 * k * t / N) @ y.numpy()

    end = brentq(lambda t: np.mean(residual(t) ** 2) - 1e-3, 1e-3, 1e6)
    # the event's own tolerance, 1e-3 in the logarithm of the loss, is all that is left
    assert arm.time_end.item() == pytest.approx(end, rel=2e-3)
    exact = theta_test[0].numpy() @ np.linalg.solve(k, y.numpy() - residual(arm.time_end.item()))
    assert arm.output[0].numpy() == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("loss", ["softhinge", "logistic"])
def test_with_other_losses_an_arm_is_within_a_percent_of_a_tight_integration(loss):
    theta, theta_test, y = kernels()
    start, start_test = torch.zeros(1, N, dtype=torch.float64), torch.zeros_like(theta_test[..., 0])
    arm = train_with_kernel(theta, theta_test, start, start_test, y, loss=LOSSES[loss], tolerance=5e-3, max_steps=1000)

    def force(p):
        f = theta[0].numpy() @ p
        return (-LOSSES[loss].slope(torch.as_tensor(f) * y) * y / N).numpy()

    def stop(_, p):
        return (theta[0].numpy() @ p * y.numpy()).min() - 1.0

    stop.terminal = True
    solution = solve_ivp(
        lambda _, p: force(p), (0, 1e6), np.zeros(N), method="LSODA", rtol=1e-9, atol=1e-11, events=stop
    )
    exact = theta_test[0].numpy() @ solution.y[:, -1]
    assert np.linalg.norm(arm.output[0].numpy() - exact) < 0.01 * np.linalg.norm(exact)
    assert arm.time_end.item() == pytest.approx(solution.t[-1], rel=0.02)


@pytest.mark.parametrize("loss", ["softhinge", "square"])
def test_in_the_lazy_limit_the_network_is_the_arm_of_its_initial_kernel(loss):
    spec = experiment(depth=2, root_h_alpha=(1e6,), seeds=2, arms=ALL, loss=loss)
    result = run_task(spec, task(0, 2), points()).isel(width=0, root_h_alpha=0)
    for arm in (1, 2):  # whose final kernel is the initial one
        # integration error of both; the network's own departure from its tangent is ~ 1/A
        assert (result.arm_distance.isel(arm=arm) < 0.01).all()
        np.testing.assert_allclose(result.arm_time_end.isel(arm=arm), result.time_end, rtol=0.02)
    # the last layer alone is another machine
    assert (result.arm_distance.isel(arm=3) > 0.02).all()


def test_in_the_feature_regime_the_final_kernel_is_nearer_to_the_network_than_the_initial_one():
    spec = experiment(depth=2, root_h_alpha=(1e-2,), seeds=4, arms=ALL)
    result = run_task(spec, task(0, 4), points()).isel(width=0, root_h_alpha=0)
    assert (result.arm_status == Status.CONVERGED).all()
    distance = result.arm_distance.mean("seed").values
    assert distance[0] == 0.0
    assert distance[2] < 0.7 * distance[1]


def test_arms_do_not_depend_on_the_other_networks_and_leave_them_as_they_are():
    spec = experiment(depth=2, root_h_alpha=(1e-2, 1.0, 1e2), seeds=3, arms=ALL)
    together, alone = (run_task(spec, task(*which), points()) for which in ((0, 3), (1, 2)))
    for name in ("arm_distance", "arm_time_end", "test_error"):
        np.testing.assert_allclose(together[name].isel(seed=[1]), alone[name], rtol=1e-9, atol=1e-12)
    plain = run_task(experiment(depth=2, root_h_alpha=(1e-2, 1.0, 1e2), seeds=3), task(0, 3), points())
    np.testing.assert_array_equal(together.test_output, plain.test_output)


def test_without_subtraction_arms_start_where_networks_do():
    spec = experiment(depth=1, root_h_alpha=(1e3,), seeds=2, arms=ALL[:2], subtract_initial=False)
    result = run_task(spec, task(0, 2), points()).isel(width=0, root_h_alpha=0)
    # F starts at alpha f ~ 1e2 here: that much further is the way, and the departure from the tangent
    assert (result.arm_distance.isel(arm=1) < 0.05).all()


def test_a_kernel_that_is_not_finite_ends_its_own_arm_only():
    theta, theta_test, y = kernels()
    broken = torch.cat([theta, theta])
    broken[0, 3, 3] = torch.nan
    start = torch.zeros(2, N, dtype=torch.float64)
    start_test = torch.zeros(2, theta_test.shape[1], dtype=torch.float64)
    options = {"loss": LOSSES["softhinge"], "tolerance": 5e-3, "max_steps": 1000}
    arm = train_with_kernel(broken, theta_test.expand(2, -1, -1), start, start_test, y, **options)
    sound = train_with_kernel(theta, theta_test, start[:1], start_test[:1], y, **options)
    assert arm.status.tolist() == [Status.DIVERGED, Status.CONVERGED]
    torch.testing.assert_close(arm.output[1], sound.output[0], rtol=1e-9, atol=1e-12)
