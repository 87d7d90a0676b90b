"""Several outputs: hidden layers move as the root of their number, and the powers of A stay."""

import functools
import itertools

import numpy as np
import pytest

from theory import Activation
from theory.model import Model
from theory.outputs import crossover_power_of_outputs

N, D, WIDTH = 16, 8, 128
SOFTPLUS = Activation("softplus")


@functools.cache
def inputs():
    x = np.random.default_rng(0).standard_normal((N, D))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def forward(weights, x):
    """Signals into each matrix over the root of their number, and the slopes between them."""
    signals, slopes = [x], []
    for w in weights[:-1]:
        z = signals[-1] @ w.T
        slopes.append(SOFTPLUS.slope(z))
        signals.append(SOFTPLUS(z) / np.sqrt(len(w)))
    return signals, slopes


def backward(weights, slopes, outer):
    """What ``outer`` (points, outputs) on the outputs pulls on the preactivations of each matrix."""
    pulled = [outer]
    for w, slope in zip(weights[:0:-1], slopes[::-1], strict=True):
        pulled.insert(0, pulled[0] @ w / np.sqrt(w.shape[1]) * slope)
    return pulled


def kernel(weights, x):
    """The tangent kernel, averaged over outputs."""
    signals, slopes = forward(weights, x)
    outputs = len(weights[-1])
    total = 0.0
    for c in range(outputs):
        outer = np.zeros((len(x), outputs))
        outer[:, c] = 1.0
        total = total + sum(
            (s @ s.T) * (b @ b.T) for s, b in zip(signals, backward(weights, slopes, outer), strict=True)
        )
    return total / outputs


def trained(depth, outputs, amplitude, seed):
    """Weights before, and once a mean of (1 - F y)² below 0.05 is reached, by explicit steps of the flow."""
    rng = np.random.default_rng((depth, outputs, seed))
    sizes = [D, *[WIDTH] * depth, outputs]
    weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]
    labels = rng.choice([-1.0, 1.0], (N, outputs))
    before = [w.copy() for w in weights]
    x, alpha = inputs(), amplitude / np.sqrt(WIDTH)
    initial = None
    for _ in range(20_000):
        signals, slopes = forward(weights, x)
        f = signals[-1] @ weights[-1].T
        initial = f if initial is None else initial
        output = alpha * (f - initial)
        if np.mean((output - labels) ** 2) < 0.05:
            return before, weights
        # neither the stiffest direction nor the growth of weights, in times ~ A, may be overstepped
        rate = min(0.2 * N / np.linalg.eigvalsh(kernel(weights, x))[-1], 0.1 * amplitude)
        pulled = backward(weights, slopes, 2.0 * (labels - output) / N)
        for w, b, s in zip(weights, pulled, signals, strict=True):
            w += rate / alpha * b.T @ s
    raise AssertionError("the flow did not fit")


@pytest.mark.parametrize("depth", [1, 2])
def test_hidden_layers_move_as_the_root_of_the_number_of_outputs(depth):
    """A = 30, C = 1 to 16, four seeds whose labels differ: 15 % at either end, 0.07 in the power."""
    moved = []
    for outputs in (1, 16):
        pairs = [trained(depth, outputs, 30.0, seed) for seed in range(4)]
        moved.append(np.sqrt(np.mean([np.sum((after[0] - before[0]) ** 2) for before, after in pairs])))
    predicted = float(crossover_power_of_outputs(Model(depth)))
    assert np.log(moved[1] / moved[0]) / np.log(16) == pytest.approx(predicted, abs=0.1)


@pytest.mark.parametrize("outputs", [1, 4])
def test_the_power_of_a_stays(outputs):
    """L = 1: a = 1 between A = 1e-3 and 1e-2, with the correction's few per cent."""
    changes = []
    for amplitude in (1e-3, 1e-2):
        start, end = (kernel(weights, inputs()) for weights in trained(1, outputs, amplitude, 0))
        changes.append(np.linalg.norm(end - start) / np.linalg.norm(start))
    assert np.log10(changes[0] / changes[1]) == pytest.approx(1.0, abs=0.06)


def test_the_power_follows_from_the_model():
    """Whatever the scales of its layers are: u ~ C^(1/2)/A^q crosses one at A* ~ C^(1/(2q))."""
    assert crossover_power_of_outputs(Model(2, output=1)) == crossover_power_of_outputs(Model(2))
    assert float(crossover_power_of_outputs(Model(1, target=-1))) == 0.25
