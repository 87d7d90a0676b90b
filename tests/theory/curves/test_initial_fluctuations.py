"""The variance of the tangent kernel at initialisation, against closed forms and random networks."""

import numpy as np
import pytest

from theory import Activation, InputError
from theory.curves import ntk_variance
from theory.curves.lazy_network import signals
from theory.gauss import gaussian_mean


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 9])
def test_homogeneous_activations_have_a_closed_form(depth):
    """L [c (2L + 1) + m (L + 2)]/(3 (L + 1)); ReLU has c = 5 and m = 1, a linear network c = 2 and m = 0."""
    for activation, c, m in (("relu", 5, 1), ("linear", 2, 0)):
        expected = depth * (c * (2 * depth + 1) + m * (depth + 2)) / (3 * (depth + 1))
        assert ntk_variance(activation, depth) == pytest.approx(expected, rel=1e-9)
        # a homogeneous kernel fluctuates alike at every length of the input
        assert ntk_variance(activation, depth, norm=3.0) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("activation", "norm"), [("softplus", 1.0), ("tanh", 1.0), ("tanh", 2.0), ("gelu", 0.5)])
@pytest.mark.parametrize("depth", [1, 3])
def test_other_activations_against_random_networks(activation, norm, depth):
    """1,500 networks of width 128: 4 % from their number (heavy tails: up to 8), and a term of order 1/h."""
    phi, h = Activation(activation), 128
    rng = np.random.default_rng(depth)
    x = norm * np.ones((1, 3))
    kernels = []
    for _ in range(1500):
        weights = [rng.standard_normal((h, 3)), *(rng.standard_normal((h, h)) for _ in range(depth - 1))]
        at = signals(phi, [*weights, rng.standard_normal((1, h))], x)
        kernels.append(at.kernel(at)[0, 0])
    measured = h * np.var(kernels) / np.mean(kernels) ** 2
    assert measured == pytest.approx(ntk_variance(activation, depth, norm), rel=0.15)


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_what_amplifies_its_own_fluctuations_fluctuates_exponentially_in_depth(activation):
    """chi = d E sigma²/dS > 1 at S = 1: a deviation grows by chi a layer, its square by chi²; ReLU has chi = 1."""
    phi = Activation(activation)
    chi = gaussian_mean(lambda z: phi(z) ** 2 * (z**2 - 1) / 2)
    assert chi > 1.1
    assert ntk_variance(activation, 24) / ntk_variance(activation, 20) == pytest.approx(chi**8, rel=0.2)
    assert ntk_variance("relu", 24) / ntk_variance("relu", 20) == pytest.approx(24 / 20, rel=0.02)


def test_what_is_no_depth_or_length_is_refused():
    with pytest.raises(InputError, match="depth"):
        ntk_variance("relu", 0)
    with pytest.raises(InputError, match="norm"):
        ntk_variance("relu", 1, norm=0.0)
