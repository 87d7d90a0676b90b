"""The layerwise forms of convolutional networks equal automatic differentiation of torch's own convolution."""

import pytest
import torch
from cnn_problem import MEMBERS, POINTS, images, network

from simulate.networks import ntk
from simulate.networks.differentiated import Differentiated


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


CASES = [((8, 8, 1), 1, "softplus", 0.0), ((8, 8, 1), 2, "relu", 0.1), ((9, 12, 3), 2, "softplus", 0.1),
         ((28, 28, 1), 4, "softplus", 0.0), ((16, 19, 2), 3, "tanh", 0.1)]  # fmt: skip


@pytest.mark.parametrize(("shape", "depth", "activation", "bias"), CASES)
def test_everything_the_flow_asks_for_is_what_automatic_differentiation_gives(shape, depth, activation, bias):
    net, weights = network(shape, depth, activation, bias)
    x, other = images(shape, 1), images(shape, 2, 3)
    ours, auto = net.linearise(weights, x), Differentiated(net.evaluate, weights, x)
    close(ours.output, auto.output)
    close(net.output(weights, x), auto.output)
    q = torch.randn(MEMBERS, POINTS, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    pulled = ours.pullback(q)
    for a, b in zip(pulled, auto.pullback(q), strict=True):
        close(a, b)
    close(ours.pushforward(pulled), auto.pushforward(pulled))
    for a, b in zip(ours.kernel_layers(), auto.kernel_layers(), strict=True):
        close(a, b)
    cross, cross_auto = net.linearise(weights, other), Differentiated(net.evaluate, weights, other)
    for a, b in zip(ours.kernel_layers(cross), auto.kernel_layers(cross_auto), strict=True):
        close(a, b)
    close(ours.kernel_trace(), auto.kernel_trace())
    for arrived, w, p in zip(ours.add_pullback(weights, q), weights, pulled, strict=True):
        close(arrived, w + p)


def test_members_points_and_blocks_are_parts_of_the_whole(monkeypatch):
    """Blocks of one image and of one channel, tiles of two points: as in one piece."""
    shape = (16, 16, 2)
    net, weights = network(shape, 3, bias=0.1)
    x, q = images(shape), torch.ones(MEMBERS, POINTS, dtype=torch.float64)
    at = net.linearise(weights, x)
    kernel, layers, trace, pulled = at.kernel(), at.kernel_layers(), at.kernel_trace(), at.pullback(q)
    one = torch.tensor([1])
    close(at.select(one).kernel(), kernel[one])
    close(at.select_points(slice(1, 4)).kernel(), kernel[:, 1:4, 1:4])
    monkeypatch.setattr("simulate.networks.convolution._CPU_BLOCK_BYTES", 1)
    monkeypatch.setattr("simulate.networks.layerwise_convolutional._GRADIENT_BYTES", 1)
    monkeypatch.setattr("simulate.networks.layerwise_convolutional._ROWS", 2)
    monkeypatch.setattr("simulate.networks.layerwise_convolutional._TILE", 2)
    again = net.linearise(weights, x)
    close(again.output, at.output)
    close(again.kernel(), kernel)
    close(again.kernel_trace(), trace)
    for a, b in zip([*again.kernel_layers(), *again.pullback(q)], [*layers, *pulled], strict=True):
        close(a, b)
    norm, of_layers = ntk.norms(again)
    close(norm, kernel.norm(dim=(1, 2)))
    close(of_layers, torch.stack([k.norm(dim=(1, 2)) for k in layers], -1))
    other = net.linearise(net.initial_weights(1, range(MEMBERS)), x)
    again.put(one, other.select(one))
    close(again.kernel()[0], kernel[0])
    close(again.kernel()[1], other.kernel()[1])


def test_both_ways_to_a_layers_kernel_agree_and_the_cheaper_is_taken(monkeypatch):
    net, weights = network((16, 16, 2), 3)
    at = net.linearise(weights, images((16, 16, 2)))
    for number in range(3):
        close(at._kernel_by_gradients(number, None), at._kernel_by_patches(number, None))
    taken = []
    for name in ("_kernel_by_gradients", "_kernel_by_patches"):
        monkeypatch.setattr(type(at), name, lambda self, number, other, name=name: taken.append((number, name)))
    at.kernel_layers()
    # 4 channels; positions and columns are 49 and 50, 25 and 100, 4 and 100. The last: 2·4·100 operations for each of
    # 15 pairs, and 3200 for the gradient of each of 5 points, against 15·4²·210. On a single position patches win
    assert taken == [(0, "_kernel_by_gradients"), (1, "_kernel_by_gradients"), (2, "_kernel_by_gradients")]
    taken.clear()
    small, its_weights = network((8, 8, 1), 2)
    small.linearise(its_weights, images((8, 8, 1))).kernel_layers()
    assert taken[-1] == (1, "_kernel_by_patches")
