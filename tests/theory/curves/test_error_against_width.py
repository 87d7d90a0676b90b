"""Test error against width and ensemble size, without a free parameter: against frozen flows of random networks."""

import functools
import itertools

import numpy as np
import pytest

from theory import Activation, InputError, infinite_width_kernels
from theory.curves import lazy_output_variance, lazy_prediction
from theory.curves.function_space_flow import train
from theory.curves.lazy_network import FrozenKernel, signals
from theory.curves.margin_loss import margin_loss

N, M, D = 16, 120, 5


@functools.cache
def task():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N + M, D))
    x *= np.sqrt(D) / np.linalg.norm(x, axis=1, keepdims=True)
    return x[:N], x[N:], np.where(x[:, 0] + 0.7 * x[:, 1] * x[:, 2] > 0, 1.0, -1.0)


def flow(kernel, labels, loss):
    return kernel[N:] @ train(FrozenKernel(kernel[:N]), labels, margin_loss(loss), tolerance=1e-2).end


@functools.cache
def networks(activation, depth, loss, width, seeds):
    """F on the evaluation points of networks at A = infinity, (seeds, M)."""
    x, x_eval, labels = task()
    both, outputs = np.concatenate([x, x_eval]), []
    for seed in range(seeds):
        rng = np.random.default_rng((seed, width))
        sizes = [D, *[width] * depth, 1]
        weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]
        at = signals(Activation(activation), weights, both)
        outputs.append(flow(at.kernel(at)[:, :N], labels[:N], loss))
    return np.array(outputs)


CASES = [("relu", 1, "softhinge"), ("softplus", 1, "square"), ("tanh", 2, "softhinge")]


@functools.cache
def predicted(activation, depth, loss):
    x, x_eval, labels = task()
    return lazy_prediction(activation, depth, x, labels[:N], x_eval, loss=loss, samples=3000 if depth == 1 else 150)


@pytest.mark.parametrize(("activation", "depth", "loss"), CASES)
def test_outputs_at_infinite_width_are_those_of_the_flow(activation, depth, loss):
    """Implicit steps of a tenth of the time passed, against a second-order method: 1 %."""
    x, x_eval, labels = task()
    _, ntk = infinite_width_kernels(activation, depth, np.concatenate([x, x_eval]), x)
    expected = flow(ntk, labels[:N], loss)
    found = predicted(activation, depth, loss).output
    assert np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)) < 0.01


@pytest.mark.parametrize(("activation", "depth", "loss"), CASES)
def test_the_variance_over_seeds_is_that_of_networks(activation, depth, loss):
    """200 networks of width 256: a mean over 120 correlated points is known to 10 %, and 1/h corrections are 5 %."""
    outputs = networks(activation, depth, loss, 256, 200)
    measured = 256 * outputs.var(axis=0, ddof=1)
    prediction = predicted(activation, depth, loss)
    assert prediction.variance.mean() == pytest.approx(measured.mean(), rel=0.2)
    # and point by point: where the outputs fluctuate more is predicted
    assert np.corrcoef(prediction.variance, measured)[0, 1] > 0.9


def test_for_the_square_loss_it_is_kernel_regression():
    """The flow to a mean loss of 1e-3 is nearly the regression that `lazy_output_variance` is exact for."""
    x, x_eval, labels = task()
    exact, error = lazy_output_variance("softplus", x, labels[:N], x_eval, neurons=40_000)
    found = lazy_prediction("softplus", 1, x, labels[:N], x_eval, loss="square", samples=3000)
    assert found.variance.mean() == pytest.approx(exact.mean(), rel=0.15)
    assert error.mean() < 0.05 * exact.mean()


@pytest.mark.parametrize(("width", "members"), [(16, 1), (64, 1), (16, 4)])
def test_the_error_of_narrow_networks_and_of_their_averages(width, members):
    """320 networks: the standard error of the mean error is about 0.3 %; second-order terms at h = 16 are as large."""
    _, _, labels = task()
    outputs = networks("relu", 1, "softhinge", width, 320)
    averaged = outputs.reshape(320 // members, members, M).mean(axis=1)
    errors = (averaged * labels[N:] <= 0).mean(axis=1)
    found = predicted("relu", 1, "softhinge").error(labels[N:], [width], members)[0]
    assert found == pytest.approx(errors.mean(), abs=0.012)


def test_an_ensemble_of_m_is_a_network_of_m_times_the_width():
    _, _, labels = task()
    prediction = predicted("relu", 1, "softhinge")
    np.testing.assert_allclose(
        prediction.error(labels[N:], [32, 100], members=5), prediction.error(labels[N:], [160, 500]), rtol=1e-12
    )
    infinite = prediction.error(labels[N:], [np.inf])[0]
    assert infinite == np.mean(prediction.output * labels[N:] <= 0)


def test_contradicting_points_are_refused():
    x, x_eval, _ = task()
    with pytest.raises(InputError, match="stop"):
        lazy_prediction("relu", 1, np.repeat(x[:1], 2, axis=0), np.array([1.0, -1.0]), x_eval, samples=10)
