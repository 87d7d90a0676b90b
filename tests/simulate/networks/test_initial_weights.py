"""A network starts from the same weights wherever it is trained."""

import torch

from simulate.networks.fully_connected import FullyConnected
from simulate.networks.initial_weights import draw_weights
from theory import Activation

INPUTS, WIDTH = 5, 11


def network(name, depth):
    return FullyConnected(INPUTS, WIDTH, depth, Activation(name))


def test_initial_weights_depend_on_the_seed_and_the_shape_of_the_network_alone():
    relu, tanh = network("relu", 2), network("tanh", 2)
    for a, b in zip(relu.initial_weights(0, [4, 5]), tanh.initial_weights(0, [5]), strict=True):
        assert torch.equal(a[1], b[0])  # another activation, another batch, the same seed
        assert not torch.equal(a[0], a[1])
    assert not torch.equal(relu.initial_weights(0, [4])[0], relu.initial_weights(1, [4])[0])
    wider = FullyConnected(INPUTS, WIDTH + 1, 2, Activation("relu"))
    assert not torch.equal(wider.initial_weights(0, [4])[0][:, :WIDTH], relu.initial_weights(0, [4])[0])


def test_a_draw_follows_from_its_key_and_the_shapes_alone():
    shapes = [(400, 30), (20, 3, 4)]
    first, second = draw_weights("key", shapes)
    assert first.shape == (400, 30)
    assert second.shape == (20, 12)
    assert first.dtype == torch.float64
    torch.manual_seed(7)  # torch's own generator has no part in it
    assert all(torch.equal(a, b) for a, b in zip(draw_weights("key", shapes), (first, second), strict=True))
    assert not torch.equal(draw_weights("another", shapes)[0], first)
    # 12,000 standard normal numbers: mean and variance within five standard errors
    assert abs(first.mean()) < 5 / 12_000**0.5
    assert abs(first.var() - 1) < 5 * (2 / 12_000) ** 0.5


def test_the_column_of_a_bias_is_zero_and_leaves_the_draw_as_it_is():
    plain, extended = draw_weights("key", [(6, 4)]), draw_weights("key", [(6, 5)], zero_last_column=True)
    assert torch.equal(extended[0][:, :-1], plain[0])
    assert not extended[0][:, -1].any()


def test_weights_are_those_that_stored_campaigns_started_from():
    """Another key or another generator would make other networks of every seed, and stores could not be resumed."""
    first = FullyConnected(10, 8, 2, Activation("relu")).initial_weights(0, [3])[0][0, 0, :3]
    assert first.tolist() == [-1.2346322893697026, -0.36713970649103883, 0.2724885482475858]
