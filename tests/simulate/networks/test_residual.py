"""Residual networks: what their blocks add at initialisation, and derivatives that are those of the outputs."""

import math

import pytest
import torch

from simulate.networks.fully_connected import FullyConnected
from simulate.networks.residual import Residual, ResidualODE
from theory import Activation

INPUTS = 6


def sphere(n, seed=0):
    x = torch.randn(n, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x * math.sqrt(INPUTS) / x.norm(dim=1, keepdim=True)


def infinite_width(depth, beta):
    """E[f²] and Theta of one point, ReLU: variance and kernel of the stream block by block, then of the output."""
    variance = kernel = 1.0
    for _ in range(depth - 1):
        variance, kernel = (1 + beta**2) * variance, (1 + beta**2) * kernel + beta**2 * variance
    return variance, variance + kernel


def test_one_hidden_layer_has_no_block():
    plain, residual = (cls(INPUTS, 7, 1, Activation("softplus")) for cls in (FullyConnected, Residual))
    weights = plain.initial_weights(0, range(3))
    torch.testing.assert_close(residual.output(weights, sphere(5)), plain.output(weights, sphere(5)))


def at_initialisation(cls, depth, width, seeds):
    """E[f²] over the last layer's weights, which is that layer's part of the kernel, and the kernel; of one point."""
    net = cls(INPUTS, width, depth, Activation("relu"))
    parts = net.linearise(net.initial_weights(0, range(seeds)), sphere(1)).kernel_layers()
    return parts[-1].mean().item(), sum(parts).mean().item(), net.branch_scale


@pytest.mark.parametrize("cls", [Residual, ResidualODE])
@pytest.mark.parametrize("depth", [2, 5, 13])
def test_variance_and_kernel_at_initialisation_are_those_of_infinite_width(cls, depth):
    """Means over h neurons of 24 networks, of terms with a fourth moment: sqrt(5/(128·24)) = 4 %, and 1/h = 1 %."""
    measured_variance, measured_kernel, beta = at_initialisation(cls, depth, 128, 24)
    variance, kernel = infinite_width(depth, beta)
    assert measured_variance == pytest.approx(variance, rel=0.16)
    assert measured_kernel == pytest.approx(kernel, rel=0.16)


@pytest.mark.parametrize(("cls", "limit"), [(Residual, math.e), (ResidualODE, 1.0)])
def test_outputs_stay_of_order_one_with_depth(cls, limit):
    """(1 + 1/B)^B < e with B blocks of scale B^(-1/2), (1 + 1/B²)^B -> 1 with 1/B; unscaled it would be 2^B."""
    assert infinite_width(1000, cls(INPUTS, 4, 1000, Activation("relu")).branch_scale)[0] == pytest.approx(
        limit, rel=0.01
    )
    for depth in (2, 9, 33, 65):
        measured, _, beta = at_initialisation(cls, depth, 48, 12)
        # sqrt(5/(48·12)) = 9 %
        assert measured == pytest.approx(infinite_width(depth, beta)[0], rel=0.36)


@pytest.mark.parametrize("cls", [Residual, ResidualODE])
@pytest.mark.parametrize("activation", ["softplus", "tanh"])
def test_the_kernel_is_that_of_finite_differences(cls, activation):
    net, x, step = cls(INPUTS, 5, 4, Activation(activation)), sphere(4), 1e-6
    weights = net.initial_weights(0, [0])
    columns = []
    for layer, w in enumerate(weights):
        for entry in range(w.numel()):
            shifts = []
            for sign in (1, -1):
                moved = [v.clone() for v in weights]
                moved[layer].view(-1)[entry] += sign * step
                shifts.append(net.output(moved, x)[0])
            columns.append((shifts[0] - shifts[1]) / (2 * step))
    jacobian = torch.stack(columns, 1)
    # central differences: rounding 1e-16/1e-6 and a third derivative times 1e-12
    torch.testing.assert_close(net.linearise(weights, x).kernel()[0], jacobian @ jacobian.T, rtol=1e-6, atol=1e-7)


def test_preactivation_velocities_are_finite_differences_of_the_stream():
    net, x = Residual(INPUTS, 5, 3, Activation("softplus")), sphere(4)
    weights, rates = net.initial_weights(0, [0]), net.initial_weights(1, [0])
    _, inputs, _ = net.coordinates(weights, x, x)
    step, seen = 1e-6, {}
    for sign in (1, -1):
        arguments = seen[sign] = []
        net.sigma = lambda z, arguments=arguments: arguments.append(z) or Residual.sigma(net, z)
        moved = [w + sign * step * v for w, v in zip(weights, rates, strict=True)]
        arguments.append(net.output(moved, x))
        del net.sigma
    # z^1, z^2, z^3 come first, the output last
    expected = [((a - b) / (2 * step)).square().mean().sqrt() for a, b in zip(seen[1], seen[-1], strict=True)]
    torch.testing.assert_close(
        net.preactivation_velocity(weights, rates, inputs)[0], torch.stack(expected), rtol=1e-6, atol=0
    )
