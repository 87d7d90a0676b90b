"""What the engine measures, against independent solutions of the same flow."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import brentq

from simulate import Experiment
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.measure.engine import run_task
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES, VARIABLES
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.tasks import Task
from simulate.training.status import Status
from theory import Activation

N, N_TEST, INPUTS, WIDTH = 16, 24, 6, 24


@dataclass
class Points:
    """Random points on the sphere ||x||² = d with labels from the sign of one coordinate."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def points(seed=0):
    x = np.random.default_rng(seed).normal(size=(N + N_TEST, INPUTS))
    x *= np.sqrt(INPUTS) / np.linalg.norm(x, axis=1, keepdims=True)
    y = np.where(x[:, 0] > 0, 1.0, -1.0)
    return Points(x[:N], y[:N], x[N:], y[N:])


def experiment(**changes):
    fields = {
        "name": "test",
        "dataset": "sphere",
        "n_train": N,
        "n_test": N_TEST,
        "depth": 1,
        "activation": "softplus",
        "widths": (WIDTH,),
        "root_h_alpha": (1.0,),
        "seeds": 4,
    }
    return Experiment(**(fields | changes))


def task(start=0, stop=1):
    return Task(experiment="test", index=0, width=WIDTH, seed_start=start, seed_stop=stop)


def network_of(result: xr.Dataset) -> xr.Dataset:
    return result.isel(width=0, root_h_alpha=0, seed=0)


class Reference:
    """One network's flow by scipy's explicit DOP853 at tight tolerance, with the stop located as its event."""

    def __init__(self, spec, data, a):
        self.net = FullyConnected(INPUTS, WIDTH, spec.depth, Activation(spec.activation), spec.bias)
        self.start = self.net.initial_weights(spec.base_seed, [0])
        self.alpha = a / np.sqrt(WIDTH)
        x, y = torch.as_tensor(data.x_train), torch.as_tensor(data.y_train)
        alpha = torch.tensor([self.alpha], dtype=torch.float64)
        self.test = torch.as_tensor(data.x_test)
        self.references = [spec.subtract_initial * self.net.output(self.start, points) for points in (x, self.test)]
        inputs = Dense.on_inputs(x, spec.bias)
        self.flow = GradientFlow(self.net, LOSSES[spec.loss], inputs, y, alpha, self.references[0])
        flat = torch.cat([w.flatten() for w in self.start]).numpy()

        def stop(_, w):
            return self.flow.progress(self.flow(self.weights(w)).output).item()

        def half(_, w):
            return self.flow.mean_loss(self.flow(self.weights(w)).output).item() - 0.5

        stop.terminal = True
        solution = solve_ivp(self.rate, (0, 1e6), flat, method="DOP853", rtol=1e-9, atol=1e-9, events=(stop, half))
        assert solution.status == 1
        self.time_end, self.time_half = solution.t_events[0][0], solution.t_events[1][0]
        self.end = self.weights(solution.y[:, -1])

    def weights(self, flat):
        sizes = np.cumsum([w.numel() for w in self.start])[:-1]
        return [torch.as_tensor(p).reshape(w.shape) for p, w in zip(np.split(flat, sizes), self.start, strict=True)]

    def rate(self, _, flat):
        point = self.flow(self.weights(flat))
        return torch.cat([g.flatten() for g in point.weight_velocity()]).numpy()

    def output(self):
        return self.alpha * (self.net.output(self.end, self.test) - self.references[1])[0].numpy()

    def kernels(self):
        return [self.net.linearise(w, self.test).kernel()[0] for w in (self.start, self.end)]


@pytest.mark.parametrize("a", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize(("name", "depth"), [("softplus", 1), ("softplus", 3), ("tanh", 2)])
def test_outputs_and_kernel_change_are_within_a_percent_of_a_tight_explicit_integration(name, depth, a):
    spec, data = experiment(activation=name, depth=depth, root_h_alpha=(a,)), points()
    measured = network_of(run_task(spec, task(), data))
    exact = Reference(spec, data, a)
    before, after = exact.kernels()
    assert measured.status == Status.CONVERGED
    assert measured.kernel_change.item() == pytest.approx(((after - before).norm() / before.norm()).item(), rel=0.01)
    error = np.linalg.norm(measured.test_output - exact.output()) / np.linalg.norm(exact.output())
    assert error < 0.01
    assert measured.time_half.item() == pytest.approx(exact.time_half, rel=0.01)
    assert measured.time_end.item() == pytest.approx(exact.time_end, rel=0.02)
    change = [(w - w0).norm().item() for w, w0 in zip(exact.end, exact.start, strict=True)]
    assert measured.weight_change.values == pytest.approx(change, rel=0.01)


@pytest.mark.parametrize("loss", ["logistic", "square", "quadratic_hinge"])
def test_other_losses_agree_with_the_explicit_integration_too(loss):
    spec, data = experiment(loss=loss, root_h_alpha=(0.3,)), points()
    measured = network_of(run_task(spec, task(), data))
    exact = Reference(spec, data, 0.3)
    before, after = exact.kernels()
    assert measured.kernel_change.item() == pytest.approx(((after - before).norm() / before.norm()).item(), rel=0.01)
    assert np.linalg.norm(measured.test_output - exact.output()) < 0.01 * np.linalg.norm(exact.output())


def test_in_the_lazy_limit_the_network_follows_its_frozen_kernel_in_closed_form():
    """Square loss, frozen Theta: F(t) = (1 - exp(-2 Theta t/n)) y on the training set."""
    a = 1e6
    spec, data = experiment(loss="square", depth=2, root_h_alpha=(a,)), points()
    measured = network_of(run_task(spec, task(), data))
    net = FullyConnected(INPUTS, WIDTH, 2, Activation("softplus"))
    start = net.initial_weights(0, [0])
    at, held_out = (net.linearise(start, torch.as_tensor(x)) for x in (data.x_train, data.x_test))
    theta = at.kernel()[0].numpy()
    theta_test = sum(k[0] for k in held_out.kernel_layers(at)).numpy()

    def residual(t):
        return expm(-2.0 * theta * t / N) @ data.y_train

    time_half = brentq(lambda t: np.mean(residual(t) ** 2) - 0.5, 1e-6, 1e3)
    time_end = brentq(lambda t: np.mean(residual(t) ** 2) - 1e-3, 1e-3, 1e6)
    trained = data.y_train - residual(time_end)
    coefficients = np.linalg.solve(theta, trained)
    alpha = a / np.sqrt(WIDTH)
    # integration error at the default tolerance; the network's own departure from its tangent is ~ 1/A
    assert measured.time_half.item() == pytest.approx(time_half, rel=0.01)
    assert measured.time_end.item() == pytest.approx(time_end, rel=0.01)
    assert measured.test_output.values == pytest.approx(theta_test @ coefficients, abs=0.01)
    moved = np.sqrt((measured.weight_change**2).sum().item())
    assert moved == pytest.approx(np.sqrt(trained @ coefficients) / alpha, rel=0.01)
    assert measured.kernel_change.item() < 1e-4


@pytest.mark.parametrize("a", [1e-2, 1.0, 1e2])
def test_with_biases_the_flow_agrees_with_the_explicit_integration_too(a):
    spec, data = experiment(bias=0.5, depth=2, root_h_alpha=(a,)), points()
    measured = network_of(run_task(spec, task(), data))
    exact = Reference(spec, data, a)
    before, after = exact.kernels()
    assert measured.kernel_change.item() == pytest.approx(((after - before).norm() / before.norm()).item(), rel=0.01)
    assert np.linalg.norm(measured.test_output - exact.output()) < 0.01 * np.linalg.norm(exact.output())
    change = [(w - w0).norm().item() for w, w0 in zip(exact.end, exact.start, strict=True)]
    assert measured.weight_change.values == pytest.approx(change, rel=0.01)


@pytest.mark.parametrize("a", [1e-2, 1.0, 1e2])
def test_what_is_trained_without_subtraction_is_the_networks_own_output(a):
    """F = alpha f: from its own, random F(0), of size A/sqrt(h), to the margin."""
    spec, data = experiment(subtract_initial=False, root_h_alpha=(a,)), points()
    measured = network_of(run_task(spec, task(), data))
    exact = Reference(spec, data, a)
    before, after = exact.kernels()
    assert measured.status == Status.CONVERGED
    assert measured.kernel_change.item() == pytest.approx(((after - before).norm() / before.norm()).item(), rel=0.01)
    assert np.linalg.norm(measured.test_output - exact.output()) < 0.01 * np.linalg.norm(exact.output())
    assert measured.time_end.item() == pytest.approx(exact.time_end, rel=0.02)


def test_the_end_of_linear_dynamics_is_where_the_trajectory_leaves_its_tangent():
    """Definition of time_linear, evaluated on the explicit integration of the same network."""
    a = 1e-3
    spec, data = experiment(root_h_alpha=(a,)), points()
    measured = network_of(run_task(spec, task(), data))
    exact = Reference(spec, data, a)
    flat = torch.cat([w.flatten() for w in exact.start]).numpy()
    time = measured.time_linear.item()
    dt = 1e-6 * time

    def output(end):
        y = solve_ivp(exact.rate, (0, end), flat, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
        exact.end = exact.weights(y)
        return exact.output()

    tangent = time / dt * output(dt)
    departure = np.linalg.norm(output(time) - tangent) / np.linalg.norm(tangent)
    assert departure == pytest.approx(0.5, abs=0.02)
    assert measured.output_rms_linear.item() == pytest.approx(np.sqrt(np.mean(output(time) ** 2)), rel=0.02)


def test_a_result_has_every_variable_of_the_schema_on_the_grid():
    spec = experiment(depth=2, root_h_alpha=(0.1, 10.0), seeds=3)
    result = run_task(spec, task(0, 3), points())
    assert set(result.data_vars) == set(VARIABLES)
    for name, variable in VARIABLES.items():
        assert result[name].dims == ("width", "root_h_alpha", "seed", *variable.dims)
        assert result[name].dtype == variable.dtype
    assert result.sizes["layer"] == 3
    assert (result.status == Status.CONVERGED).all()
    assert (result.train_margin >= 1 - 1e-9).all()
    assert result.train_margin.values == pytest.approx(1.0, abs=2e-3)  # the stop is an event, not a step's end
    np.testing.assert_allclose(result.alpha[0, :, 0] * np.sqrt(WIDTH), [0.1, 10.0], rtol=1e-12)


def test_a_network_does_not_depend_on_its_neighbours_in_the_batch():
    spec = experiment(root_h_alpha=(1e-3, 1.0, 1e3), seeds=4)
    together = run_task(spec, task(0, 4), points())
    alone = run_task(spec, task(2, 3), points())
    for name in ("kernel_change", "time_end", "time_half", "weight_change", "test_output"):
        ours, theirs = together[name].isel(seed=[2]).values, alone[name].values
        np.testing.assert_allclose(ours, theirs, rtol=1e-9 if ours.dtype == np.float64 else 1e-6)
    assert (together.steps.isel(seed=[2]).values == alone.steps.values).all()


def test_how_many_networks_are_trained_at_once_does_not_change_a_result(monkeypatch):
    spec, found = experiment(root_h_alpha=(1e-3, 1.0, 1e3), seeds=4), []
    for at_once, turns in ((None, 1), (5, 1), (5, 3), (2, 3)):
        monkeypatch.setattr("simulate.measure.engine.batch_limit", lambda *_, at_once=at_once: at_once)
        monkeypatch.setattr("simulate.measure.engine.batches_together", lambda *_, turns=turns: turns)
        found.append(run_task(spec, task(0, 4), points()))
    together, *others = found
    in_parts = [0] * 4 + [1] * 4 + [2] * 4
    # in five places all take turns, others joining where some have finished; in two places, four of them do
    assert [r.batch.values.ravel().tolist() for r in found] == [[0] * 12, in_parts, [0] * 12, in_parts]
    for name, variable in together.drop_vars(NONDETERMINISTIC_VARIABLES).items():
        tight = 1e-9 if variable.dtype == np.float64 else 1e-6
        for other in others:
            np.testing.assert_allclose(other[name], variable, rtol=tight, atol=1e-3 * tight, err_msg=name)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_coordinates_of_the_first_layer_do_not_change_a_result(depth, monkeypatch):
    spec, found = experiment(depth=depth, root_h_alpha=(1e-3, 1.0, 1e3), seeds=2), []
    for choice in (True, False):
        monkeypatch.setattr("simulate.networks.first_layer.span_is_cheaper", lambda *_, choice=choice: choice)
        found.append(run_task(spec, task(0, 2), points()).drop_vars(NONDETERMINISTIC_VARIABLES))
    spanned, dense = found
    assert (spanned.steps == dense.steps).all()
    for name in set(spanned.data_vars) - {"status", "steps", "gradient_evaluations"}:
        tight = spanned[name].dtype == np.float64
        # lazy kernel changes are differences of kernels that agree to three digits: they keep fewer of theirs
        np.testing.assert_allclose(spanned[name], dense[name], rtol=1e-6 if tight else 1e-5, atol=1e-6, err_msg=name)


def test_running_again_gives_the_same_bits():
    spec = experiment(activation="relu", depth=2, root_h_alpha=(1e-2, 1e2), seeds=2)
    first, second = (run_task(spec, task(0, 2), points()).drop_vars(NONDETERMINISTIC_VARIABLES) for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_relu_networks_converge_at_every_amplitude():
    spec = experiment(activation="relu", depth=2, root_h_alpha=(1e-4, 1e-2, 1.0, 1e2, 1e4), seeds=3)
    result = run_task(spec, task(0, 3), points())
    assert (result.status == Status.CONVERGED).all()


def test_max_steps_and_time_limit_end_networks_with_their_own_status():
    few = run_task(experiment(max_steps=3), task(), points())
    assert network_of(few).status == Status.MAX_STEPS
    assert network_of(few).steps == 3
    assert np.isfinite(network_of(few).kernel_change)
    late = run_task(experiment(time_limit=1e-9), task(), points())
    assert network_of(late).status == Status.TIME_LIMIT


def test_networks_with_few_unfitted_points_are_trained_where_the_campaign_says_so():
    data = points()
    data.x_train[1] = data.x_train[0]
    data.y_train[:2] = 1.0, -1.0  # 2 of N points can't be fitted
    sgd = {"loss": "hinge", "dynamics": {"name": "adam", "batch_size": 6, "learning_rate": 3e-3}, "max_steps": 600}
    for unfitted, status in ((None, Status.MAX_STEPS), (2.5 / N, Status.CONVERGED), (0.5 / N, Status.MAX_STEPS)):
        result = network_of(run_task(experiment(unfitted=unfitted, **sgd), task(), data))
        assert result.status == status
        if unfitted is not None:
            assert 1 <= round(result.unfitted.item() * N) <= 2
    # one that fits all points has none, to the tolerance with which the end is located
    fitted = network_of(run_task(experiment(unfitted=0.04), task(), points()))
    assert (fitted.status, fitted.unfitted) == (Status.CONVERGED, 0.0)


def test_contradictory_labels_end_at_rest_and_are_marked_so():
    data = points()
    data.x_train[1] = data.x_train[0]
    data.y_train[:2] = 1.0, -1.0
    result = network_of(run_task(experiment(max_steps=5000), task(), data))
    assert result.status == Status.STALLED
    # the two contradictory points can do no better than l(0) = 1 each, the others are fitted
    assert result.loss_end.item() == pytest.approx(2 / N, abs=0.02)
    assert result.train_margin.item() == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("a", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize(
    ("integrator", "name", "depth"),
    [
        ("chebyshev", "softplus", 1), ("chebyshev", "softplus", 3), ("chebyshev", "tanh", 2),
        ("kernel_flow", "softplus", 1), ("kernel_flow", "softplus", 3),
    ],
)  # fmt: skip
def test_others_are_within_a_percent_of_a_tight_explicit_integration_too(integrator, name, depth, a):
    dynamics = {"name": "gradient_flow", "integrator": integrator}
    # saturated neurons magnify errors on the way: a fifth of the default tolerance, for all alike
    spec = experiment(activation=name, depth=depth, root_h_alpha=(a,), dynamics=dynamics, tolerance=1e-3)
    data = points()
    measured = network_of(run_task(spec, task(), data))
    exact = Reference(spec, data, a)
    before, after = exact.kernels()
    assert measured.kernel_change.item() == pytest.approx(((after - before).norm() / before.norm()).item(), rel=0.01)
    assert np.linalg.norm(measured.test_output - exact.output()) < 0.01 * np.linalg.norm(exact.output())
    assert measured.time_half.item() == pytest.approx(exact.time_half, rel=0.01)


@pytest.mark.parametrize("name", ["softplus", "relu"])
def test_chebyshev_and_the_w_method_agree(name):
    found = []
    for integrator in ("chebyshev", "rosenbrock"):
        dynamics = {"name": "gradient_flow", "integrator": integrator}
        spec = experiment(activation=name, depth=2, root_h_alpha=(1e-3, 1.0, 1e3), seeds=3, dynamics=dynamics)
        found.append(run_task(spec, task(0, 3), points()))
    chebyshev, rosenbrock = found
    assert (chebyshev.status == Status.CONVERGED).all()
    # each is within a percent of the exact flow; past a kink trajectories part a little more
    np.testing.assert_allclose(
        chebyshev.kernel_change, rosenbrock.kernel_change, rtol=0.02 if name == "softplus" else 0.1
    )
    np.testing.assert_allclose(chebyshev.time_half, rosenbrock.time_half, rtol=0.02)


@pytest.mark.parametrize("integrator", ["chebyshev", "kernel_flow"])
def test_a_network_does_not_depend_on_its_neighbours_with_others(integrator):
    dynamics = {"name": "gradient_flow", "integrator": integrator}
    spec = experiment(depth=2, root_h_alpha=(1e-3, 1.0, 1e3), seeds=4, dynamics=dynamics)
    together, alone = (run_task(spec, task(*which), points()) for which in ((0, 4), (2, 3)))
    for name in ("kernel_change", "time_end", "weight_change"):
        np.testing.assert_allclose(together[name].isel(seed=[2]).values, alone[name].values, rtol=1e-9)
    assert (together.gradient_evaluations.isel(seed=[2]).values == alone.gradient_evaluations.values).all()


CHECKPOINTS = (0.1, 0.5, 1.0, 2.0, 1e4)


def test_checkpoints_are_on_the_trajectory_and_do_not_change_it():
    """Against DOP853 up to the same times; t = 1e4 min(1, A) comes after the stop."""
    for a in (1e-2, 1e2):
        spec, data = experiment(depth=2, root_h_alpha=(a,), checkpoints=CHECKPOINTS), points()
        measured = network_of(run_task(spec, task(), data))
        plain = network_of(run_task(experiment(depth=2, root_h_alpha=(a,)), task(), data))
        for name in ("kernel_change", "time_end", "time_half", "steps", "test_output"):
            np.testing.assert_array_equal(measured[name], plain[name])
        times = np.array(CHECKPOINTS) * min(1.0, a)
        reached = times < measured.time_end.item()
        assert reached.tolist() == [True] * 4 + [False]
        np.testing.assert_allclose(measured.time.values[reached], times[reached], rtol=1e-12)
        for name in ("time", "loss", "output_rms", "kernel_change_t", "preactivation_velocity"):
            assert np.isnan(measured[name].values[~reached]).all()
        exact = Reference(spec, data, a)
        flat = torch.cat([w.flatten() for w in exact.start]).numpy()
        before = exact.kernels()[0]
        for k in np.flatnonzero(reached):
            solution = solve_ivp(exact.rate, (0, times[k]), flat, method="DOP853", rtol=1e-9, atol=1e-9).y[:, -1]
            exact.end = exact.weights(solution)
            after = exact.kernels()[1]
            rms = np.sqrt(np.mean(exact.output() ** 2))
            # within a step dense output is of second order: a little less precise than its end
            assert measured.output_rms[k].item() == pytest.approx(rms, rel=0.02)
            assert measured.kernel_change_t[k].item() == pytest.approx(
                ((after - before).norm() / before.norm()).item(), rel=0.04
            )
            velocity = preactivation_velocity(exact, solution, torch.as_tensor(data.x_train))
            assert measured.preactivation_velocity[k].values == pytest.approx(velocity, rel=0.02)


def preactivation_velocity(exact, flat, x):
    """rms of dz^l/dt by a difference quotient along the exact flow."""
    rate, eps = exact.rate(0, flat), 1e-6

    def z(weights):
        first = x @ weights[0][0].T / np.sqrt(INPUTS)
        preactivations = [first]
        for w in weights[1:]:
            preactivations.append(exact.net.activation.value(preactivations[-1]) @ w[0].T / np.sqrt(WIDTH))
        return preactivations

    ahead, behind = (z(exact.weights(flat + sign * eps * rate)) for sign in (1, -1))
    return [((a - b) / (2 * eps)).square().mean().sqrt().item() for a, b in zip(ahead, behind, strict=True)]


def test_all_seeds_are_seen_at_the_same_times():
    spec = experiment(root_h_alpha=(1e-2, 1.0, 10.0), seeds=3, checkpoints=2)
    result = run_task(spec, task(0, 3), points())
    assert result.sizes["checkpoint"] == 15  # two a decade from 1e-3 to 1e4
    spread = result.time.max("seed") - result.time.min("seed")
    assert (spread.fillna(0.0) == 0.0).all()
    # before training stops the loss falls from checkpoint to checkpoint
    assert (result.loss.diff("checkpoint").fillna(-1.0) <= 0.0).all()


def test_for_small_amplitudes_trajectories_coincide_in_the_scaled_time():
    """Same initial weights at every A: f - f0 = F/A in code scaling is the same function of t/A until F ~ 1."""
    spec = experiment(depth=2, root_h_alpha=(1e-4, 1e-3), checkpoints=(0.1, 0.3, 1.0, 2.0), tolerance=1e-3)
    result = run_task(spec, task(), points()).isel(width=0, seed=0)
    scaled = result.output_rms.values / np.array([[1e-4], [1e-3]])
    np.testing.assert_allclose(scaled[0], scaled[1], rtol=0.02)
