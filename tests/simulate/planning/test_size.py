"""Sizes of networks that were not built yet: counted by hand."""

import pytest

from simulate import Experiment
from simulate.planning.size import network_size, planned_network

FIELDS = {
    "name": "one", "dataset": "digits", "n_train": 20, "n_test": 20, "depth": 2, "activation": "softplus",
    "widths": [8, 16], "root_h_alpha": [1.0], "seeds": 1,
}  # fmt: skip


@pytest.mark.parametrize("width", [8, 16])
def test_a_fully_connected_network_has_its_matrices_entries(width):
    """64 pixels, two hidden layers, one output."""
    assert network_size(Experiment(**FIELDS), width).weights == 64 * width + width**2 + width


def test_principal_components_are_the_inputs():
    assert network_size(Experiment(**FIELDS, pca=10), 8).weights == 10 * 8 + 8**2 + 8


def test_convolutions_have_filters_of_five_by_five():
    """On images of one channel: 25 and 25·h weights a channel, and h of the output."""
    size = network_size(Experiment(**FIELDS | {"architecture": "cnn"}), 4)
    assert size.weights == 4 * 25 + 4 * 4 * 25 + 4


def test_a_planned_network_is_the_experiments_but_for_its_activation():
    network = planned_network(Experiment(**FIELDS), 16)
    assert (network.width, network.depth) == (16, 2)
    assert [tuple(shape) for shape in network.shapes] == [(16, 64), (16, 16), (1, 16)]
