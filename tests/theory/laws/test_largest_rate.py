"""The largest stable learning rate of gradient descent follows the kernel at the end of training."""

import itertools

import numpy as np
import pytest

from theory import Activation, predictions
from theory.curves.lazy_network import signals
from theory.curves.margin_loss import margin_loss

SQUARE = margin_loss("square")
N, D, WIDTH = 8, 4, 64
#: Stable descent towards ±1 does not overshoot 2; beyond, the kernel may give way, and descent go on (a catapult).
CAP = 3.0


def task():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, D))
    x *= np.sqrt(D) / np.linalg.norm(x, axis=1, keepdims=True)
    return x, np.where(x[:, 0] > 0, 1.0, -1.0)


def descends(phi, weights, amplitude, rate, steps=3000):
    """Whether gradient descent on alpha^-2 mean (1 - F y)² reaches a mean of 1e-3."""
    x, y = task()
    alpha = amplitude / np.sqrt(WIDTH)
    w = [v.copy() for v in weights]
    start = None
    for _ in range(steps):
        at = signals(phi, w, x)
        f = (at.forward[-1] @ w[-1].T)[:, 0]
        start = f if start is None else start
        output = alpha * (f - start)
        if not np.max(np.abs(output)) < CAP:
            return False
        if SQUARE.progress(output * y) >= 0:
            return True
        force = -SQUARE.slope(output * y) * y / N
        for v, gradient in zip(w, at.pull_back(force), strict=True):
            v += rate / alpha * gradient
    return False


def largest_rate(phi, depth, amplitude, guess):
    """To a factor 2^(1/4)."""
    rng = np.random.default_rng(depth)
    weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise([D, *[WIDTH] * depth, 1])]
    rate, ratio = guess, 2**0.25
    while descends(phi, weights, amplitude, rate * ratio):
        rate *= ratio
    while not descends(phi, weights, amplitude, rate):
        rate /= ratio
    return rate


def law(activation, depth, regime):
    (found,) = [
        p for p in predictions(Activation(activation), depth) if p.claim == "largest_rate" and p.regime.name == regime
    ]
    return found


@pytest.mark.parametrize(("activation", "depth"), [("relu", 1), ("gelu", 2)])
def test_it_falls_as_the_kernel_grows(activation, depth):
    """Two decades of A, the ends to 2^(1/4) each: the power to 0.1; the kernel's correction adds about as much."""
    predicted = float(law(activation, depth, "feature").exponent)
    phi = Activation(activation)
    amplitudes = np.array([1e-2, 1e-4])
    rates = [largest_rate(phi, depth, a, 2 * a**predicted) for a in amplitudes]
    measured = np.log(rates[0] / rates[1]) / np.log(amplitudes[0] / amplitudes[1])
    assert measured == pytest.approx(predicted, abs=0.12)


def test_it_does_not_depend_on_the_amplitude_where_the_kernel_is_frozen():
    """Three decades, the ends to 2^(1/4) each: the power to 0.05."""
    rates = [largest_rate(Activation("relu"), 1, a, 2.0) for a in (1e2, 1e5)]
    assert np.log(rates[1] / rates[0]) / np.log(1e3) == pytest.approx(0.0, abs=0.05)
    assert law("relu", 1, "lazy").exponent == 0


@pytest.mark.parametrize(("depth", "richness"), [(1, r"\gamma "), (2, r"\gamma^{2/3}"), (3, r"\gamma^{1/2}")])
def test_in_units_of_the_plain_loss_it_is_a_power_of_the_richness(depth, richness):
    """gamma^(2/D), D = L + 1 for degree one, and gamma² where the kernel is frozen (arXiv:2410.04642)."""
    assert richness in law("gelu", depth, "feature").derivation[-1].latex
    assert r"\gamma^{2}" in law("gelu", depth, "lazy").derivation[-1].latex


def test_no_power_is_claimed_where_the_kernel_has_none():
    for activation in ("tanh", "sin(z)", "z/(1 + abs(z))"):
        assert not law(activation, 2, "feature").claimed
