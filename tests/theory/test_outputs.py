"""Several outputs: the kernel changes with what their targets have in common, and the powers of A stay."""

import functools
import itertools

import numpy as np
import pytest

from theory import Activation
from theory.model import Model
from theory.outputs import INDEPENDENT, crossover_power_of_outputs, target_overlap

N, D, WIDTH, SEEDS = 16, 8, 256, 2
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


def targets(outputs, seed, aligned):
    rng = np.random.default_rng((outputs, seed))
    drawn = rng.choice([-1.0, 1.0], (N, outputs))
    return np.repeat(drawn[:, :1], outputs, axis=1) if aligned else drawn


def kernel_change(depth, outputs, amplitude, seed, aligned=False):
    """||dTheta||/||Theta_0|| once a mean of (1 - F y)² below 0.05 is reached, by explicit steps of the flow."""
    rng = np.random.default_rng((depth, outputs, seed))
    sizes = [D, *[WIDTH] * depth, outputs]
    weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]
    labels = targets(outputs, seed, aligned)
    x, alpha = inputs(), amplitude / np.sqrt(WIDTH)
    start = kernel(weights, x)
    initial = None
    for _ in range(20_000):
        signals, slopes = forward(weights, x)
        f = signals[-1] @ weights[-1].T
        initial = f if initial is None else initial
        output = alpha * (f - initial)
        if np.mean((output - labels) ** 2) < 0.05:
            end = kernel(weights, x)
            return np.linalg.norm(end - start) / np.linalg.norm(start)
        rate = 0.2 * N / np.linalg.eigvalsh(kernel(weights, x))[-1]
        pulled = backward(weights, slopes, 2.0 * (labels - output) / N)
        for w, b, s in zip(weights, pulled, signals, strict=True):
            w += rate / alpha * b.T @ s
    raise AssertionError("the flow did not fit")


def rms_change(outputs, amplitude, aligned):
    return np.sqrt(np.mean([kernel_change(1, outputs, amplitude, seed, aligned) ** 2 for seed in range(SEEDS)]))


@pytest.mark.parametrize("aligned", [True, False])
def test_the_kernel_changes_with_what_targets_have_in_common(aligned):
    """A = 10, second order: of two layers the first hears all outputs, the last one each its own: (overlap + 1)/2.

    Two seeds of 10 %, and terms of first order of as much at C = 1.
    """
    ratio = rms_change(8, 10.0, aligned) / rms_change(1, 10.0, aligned)
    overlap = np.mean([target_overlap(targets(8, seed, aligned)) for seed in range(SEEDS)])
    assert ratio == pytest.approx((overlap + 1) / 2, rel=0.3)


def test_targets_in_common_add_up_and_independent_ones_do_not():
    """8 for equal targets; the root of C (1 + (C - 1)/n) for independent ones, from two draws."""
    assert target_overlap(targets(8, 0, aligned=True)) == pytest.approx(8.0)
    independent = np.mean([target_overlap(targets(8, seed, aligned=False)) for seed in range(20)])
    assert independent == pytest.approx(np.sqrt(8 * (1 + 7 / N)), rel=0.05)


@pytest.mark.parametrize("outputs", [1, 4])
def test_the_power_of_a_stays(outputs):
    """L = 1: a = 1 between A = 1e-3 and 1e-2, with the correction's few per cent."""
    changes = [np.mean([kernel_change(1, outputs, a, seed) for seed in range(2)]) for a in (1e-3, 1e-2)]
    assert np.log10(changes[0] / changes[1]) == pytest.approx(1.0, abs=0.06)


def test_the_power_follows_from_the_model():
    """Whatever the scales of its layers are: C^s/A^(2q) crosses one at A* ~ C^(s/(2q))."""
    assert float(crossover_power_of_outputs(Model(1), INDEPENDENT)) == 0.25
    assert crossover_power_of_outputs(Model(2, output=1)) == crossover_power_of_outputs(Model(2))
    assert float(crossover_power_of_outputs(Model(1, target=-1))) == 0.25
