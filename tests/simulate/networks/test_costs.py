"""What networks take is counted without training one."""

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from simulate.networks.convolutional import Convolutional
from simulate.networks.costs import numbers_kept_per_point
from simulate.networks.fully_connected import FullyConnected
from theory import Activation


def test_what_automatic_differentiation_keeps_is_counted_by_shapes():
    def evaluate(weights, x):
        # x and w of the product, z of the cosine: of each point its 4 coordinates and its 3 preactivations
        return torch.cos(x @ weights[0].mT).sum(-1)

    assert numbers_kept_per_point(evaluate, [(3, 4)], 4) == 4 + 3


def test_a_function_that_looks_at_numbers_is_counted_by_its_rows():
    def evaluate(weights, x):
        z = x @ weights[0].mT
        return (z if z.sum() > 0 else -z).sum(-1)

    assert numbers_kept_per_point(evaluate, [(3, 4), (2, 3)], 4) == 4 * (3 + 2)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_operations_of_fully_connected_gradients_are_those_that_torch_counts(depth):
    """Linearised by hand: two operations a multiplication, forward, and backward to weights and to activations."""
    n, inputs, width = 20, 30, 16
    net = FullyConnected(inputs, width, depth, Activation("relu"))
    weights = net.initial_weights(0, [0])
    x = torch.randn(n, inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    start, on_train, _ = net.coordinates(weights, x, x)
    with FlopCounterMode(display=False) as counter:
        net.linearise(start, on_train).pullback(torch.ones(1, n, dtype=torch.float64))
    counts = net.operation_counts(n)
    # counted is a last layer that is propagated back through, too: 2 N h of them are elementwise products, not torch's
    assert counter.get_total_flops() == counts.gradient - 2 * n * width
    with FlopCounterMode(display=False) as counter:
        net.linearise(weights, x).kernel()
    forward = 2 * n * (inputs * width + 2 * (depth - 1) * width**2 + width)
    gram_of_inputs = 2 * n**2 * inputs  # once for all members
    assert counter.get_total_flops() - forward - gram_of_inputs == counts.kernel
    assert counts.activations == n * depth * width
    assert counts.weights == min(n, inputs) * width + (depth - 1) * width**2


def test_other_gradients_are_counted_as_three_forward_passes_and_kernels_as_products_of_gradients():
    shape, width, depth, n = (8, 8, 1), 4, 2, 10
    net = Convolutional(shape, width, depth, Activation("relu"))
    multiplications = net.multiplications(shape, width, depth)
    counts = net.operation_counts(n)
    assert counts.gradient == 6 * n * multiplications
    assert counts.weights == net.size.weights == sum(math.prod(s) for s in net.shapes)
    assert counts.kernel == n**2 * counts.weights + 2 * n * multiplications
    assert counts.activations == n * multiplications / width
