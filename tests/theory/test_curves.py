"""Parameter-free curves: against closed forms, against each other, against power counting, and against networks."""

import numpy as np
import pytest
import scipy.integrate

from simulate import Campaign, load_data, run_task
from simulate.planning.tasks import campaign_tasks
from theory import Activation, InputError, infinite_width_kernels
from theory.curves import (
    deep_linear_curve,
    first_order_kernel_change,
    lazy_output_variance,
    mean_field_curve,
    single_datum_curve,
)
from theory.curves.lazy_network import signals
from theory.model import Model
from theory.scaling import A, Feature, Lazy, power

ONE = np.array([[1.0]]), np.array([1.0])


def cloud(n=6, d=4, seed=0):
    """A few points on a sphere, labelled by a random plane."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    x *= np.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True)
    return x, np.where(x[:, 0] > 0, 1.0, -1.0)


# -- closed forms ------------------------------------------------------------------------------------------------------


def test_one_datum_and_a_linear_network():
    """sqrt(1 + A^-2) - 1, by the formula and by both solvers."""
    amplitudes = np.array([10.0, 1.0, 0.1, 0.01])
    exact = np.sqrt(1 + amplitudes**-2) - 1
    np.testing.assert_allclose(single_datum_curve("linear", amplitudes), exact, rtol=1e-10)
    np.testing.assert_allclose(deep_linear_curve(1, *ONE, amplitudes).kernel_change, exact, rtol=2e-3)
    found = mean_field_curve("linear", *ONE, amplitudes)
    assert np.all(np.abs(found.kernel_change - exact) < 4 * found.standard_error + 2e-3 * exact)


def test_one_datum_and_a_relu_network():
    """The closed form against an integral over angles, and against particles."""
    for tau in (0.1, 1.0, 2.0):

        def mean(f, tau=tau):
            def integrand(t):
                u, v = (np.cos(t) * np.cosh(tau) + np.sin(t) * np.sinh(tau) for t in (t, np.pi / 2 - t))
                return f(u, v) / np.pi  # E[r²] = 2, angles have density 1/2pi

            dies = -np.arctan(1 / np.tanh(tau))
            return scipy.integrate.quad(integrand, dies, np.pi / 2)[0]

        a = 1 / (np.sqrt(2) * mean(lambda u, v: u * v))
        theta = 2 * mean(lambda u, v: u**2 + v**2)
        assert single_datum_curve("relu", a)[0] == pytest.approx(theta / 2 - 1, rel=1e-8)
    amplitudes = np.array([3.0, 1.0, 0.1])
    found = mean_field_curve("relu", *ONE, amplitudes, particles=40_000)
    exact = single_datum_curve("relu", amplitudes)
    assert np.all(np.abs(found.kernel_change - np.abs(exact)) < 4 * found.standard_error + 5e-3 * exact)


def test_the_kernel_of_a_lazy_relu_neuron_shrinks():
    """-1/(sqrt(2) pi A) at large A, and growth at small A: it crosses zero between 10 and 3."""
    change = single_datum_curve("relu", [1e4, 10.0, 3.0])
    assert change[0] == pytest.approx(-1 / (np.sqrt(2) * np.pi * 1e4), rel=1e-3)
    assert change[1] < 0 < change[2]


# -- power counting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_deep_linear_curves_have_the_derived_slopes(depth):
    """2 - 2/(L+1) for A -> 0, up to the derived correction A^(2/D); 2 for A -> infinity, the second-order term."""
    model = Model(depth)
    curve = deep_linear_curve(depth, *cloud(4), [1e-4, 1e-3, 1e3, 1e4])
    feature, _, lazy = curve.local_slope()
    correction = float(Feature(model).kernel_correction)
    assert feature == pytest.approx(float(power(Feature(model).kernel_change, A)), abs=correction * 1e-3**correction)
    assert lazy == pytest.approx(float(power(Lazy(model).kernel_terms["second order"], A)), abs=1e-3)
    assert curve.time_half[3] == pytest.approx(curve.time_half[2], rel=1e-4)  # lazy: independent of A
    if depth > 1:
        assert curve.time_half[1] / curve.time_half[0] == pytest.approx(10, rel=0.2)  # t_half ~ A


@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_particles_have_the_derived_slopes(activation):
    model = Model(1)
    curve = mean_field_curve(activation, *cloud(), [1e-4, 1e-3], particles=2000)
    assert curve.local_slope()[0] == pytest.approx(float(power(Feature(model).kernel_change, A)), abs=0.02)
    if activation == "softplus":
        lazy = mean_field_curve(activation, *cloud(), [300.0, 3000.0], particles=2000).local_slope()[0]
        assert lazy == pytest.approx(float(power(Lazy(model).kernel_terms["second order"], A)), abs=0.02)


def test_particles_and_matrix_algebra_agree_on_several_points():
    x, y = cloud(8)
    amplitudes = [0.03, 1.0, 30.0]
    exact = deep_linear_curve(1, x[:5], y[:5], amplitudes, x_eval=x[5:])
    found = mean_field_curve("linear", x[:5], y[:5], amplitudes, x_eval=x[5:], particles=20_000)
    for name in ("kernel_change", "time_half", "time_end"):
        np.testing.assert_allclose(getattr(found, name), getattr(exact, name), rtol=0.05)


# -- networks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "depth"), [("softplus", 1), ("relu", 1), ("linear", 2)])
def test_wide_networks_follow_the_curves(activation, depth):
    """Kernel change and times of trained networks of 1,024 neurons, within a few percent; nothing was fitted."""
    fields = {
        "name": "wide", "dataset": "digits", "n_train": 12, "n_test": 8, "depth": depth, "activation": activation,
        "widths": [1024] if depth == 1 else [512], "root_h_alpha": [0.01, 1.0], "seeds": 6,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "wide", "experiment": [fields]})
    experiment, (task,) = campaign.experiment[0], campaign_tasks(campaign)
    data = load_data(experiment, None)
    networks = run_task(experiment, task, data, device="cpu")
    given = data.x_train, data.y_train, [0.01, 1.0], data.x_test
    curve = mean_field_curve(activation, *given) if depth == 1 else deep_linear_curve(depth, *given)
    for name in ("kernel_change", "time_half"):
        measured = networks[name].mean("seed").values[0]
        spread = networks[name].std("seed").values[0] / np.sqrt(6)
        expected = getattr(curve, name)
        assert np.all(np.abs(measured - expected) < 4 * spread + 0.03 * expected), (name, measured, expected)


@pytest.mark.parametrize("depth", [1, 2])
def test_the_first_order_change_is_that_of_each_single_network(depth):
    """Network by network, at A = 1e4, within 2 %: from the linearised dynamics alone."""
    fields = {
        "name": "lazy", "dataset": "digits", "n_train": 12, "n_test": 8, "depth": depth, "activation": "softplus",
        "widths": [64], "root_h_alpha": [1e4], "seeds": 3, "tolerance": 1e-3,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "lazy", "experiment": [fields]})
    experiment, (task,) = campaign.experiment[0], campaign_tasks(campaign)
    data = load_data(experiment, None)
    networks = run_task(experiment, task, data, device="cpu")
    for seed in range(3):
        weights = initial_weights(experiment, seed, data.x_train.shape[1])
        predicted = first_order_kernel_change("softplus", weights, data.x_train, data.y_train, 1e4, data.x_test)
        assert networks["kernel_change"].values[0, 0, seed] == pytest.approx(predicted[0], rel=0.02)


def initial_weights(experiment, seed, dimension):
    from simulate.networks.fully_connected import FullyConnected

    network = FullyConnected(dimension, experiment.widths[0], experiment.depth, Activation(experiment.activation))
    drawn = network.initial_weights(experiment.base_seed, [seed])
    return [w[0].numpy().reshape(-1, w.shape[-1]) for w in drawn]


def test_the_variance_of_lazy_outputs():
    """Kernel regression with the tangent kernels of finite networks, over many seeds."""
    x, y = cloud(6, 4, seed=3)
    x_eval, _ = cloud(3, 4, seed=4)
    variance, error = lazy_output_variance("softplus", x, y, x_eval)
    phi, h, rng, outputs = Activation("softplus"), 4000, np.random.default_rng(5), []
    for _ in range(400):
        weights = [rng.standard_normal((h, 4)), rng.standard_normal((1, h))]
        at, new = (signals(phi, weights, points) for points in (x, x_eval))
        outputs.append(new.kernel(at) @ np.linalg.solve(at.kernel(at), y))
    _, ntk = infinite_width_kernels(phi, 1, x_eval, x)
    _, own = infinite_width_kernels(phi, 1, x)
    np.testing.assert_allclose(np.mean(outputs, axis=0), ntk @ np.linalg.solve(own, y), atol=0.05)
    np.testing.assert_allclose(h * np.var(outputs, axis=0), variance, rtol=0.3)
    assert np.all(error < 0.05 * variance)


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_no_mean_field_above_degree_one():
    with pytest.raises(InputError, match="blow up"):
        mean_field_curve("relu2", *ONE, 1.0)
    with pytest.raises(InputError, match="no closed form"):
        single_datum_curve("tanh", 1.0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"root_h_alpha": [0.0]}, "root_h_alpha"),
        ({"y": np.array([0.5])}, "y"),
        ({"y": np.ones(2)}, "y"),
        ({"x": np.zeros((1, 1))}, "x[0]"),
        ({"x": np.array([[np.inf]])}, "x"),
        ({"loss": "nosuch"}, "loss"),
    ],
)
def test_what_can_not_be_used_is_refused_by_both_solvers(changes, field):
    given = {"x": ONE[0], "y": ONE[1], "root_h_alpha": [1.0]} | changes
    for solver in (lambda **k: deep_linear_curve(1, **k), lambda **k: mean_field_curve("relu", **k)):
        with pytest.raises(InputError) as caught:
            solver(**given)
        assert caught.value.field == field
    with pytest.raises(InputError, match="depth"):
        deep_linear_curve(0, *ONE, 1.0)


def test_contradicting_labels_are_told():
    """Two equal points with opposite labels never reach the margin."""
    x, y = np.array([[1.0], [1.0]]), np.array([1.0, -1.0])
    with pytest.raises(InputError, match="opposite labels"):
        deep_linear_curve(1, x, y, 1.0)
