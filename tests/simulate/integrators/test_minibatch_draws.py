"""Which points an update sees depends on the network's seed and the epoch, and on nothing else."""

import numpy as np
import torch

from simulate.integrators.minibatch_draws import MinibatchDraws
from simulate.networks.fully_connected import FullyConnected
from theory import Activation

NETWORK = FullyConnected(6, 10, 2, Activation("softplus"))


def draws(seeds=(0, 1), base_seed=0):
    return MinibatchDraws(NETWORK, base_seed, seeds, torch.tensor([0, 1]))


def test_an_epoch_has_as_many_updates_as_cover_all_points_each_on_different_ones():
    points = draws().points_of_epoch(0, 0, 10, 4)
    assert points.shape == (3, 4)
    assert all(len(set(row)) == 4 for row in points.tolist())


def test_they_are_the_same_again_and_others_in_another_epoch_seed_or_base():
    first = draws().points_of_epoch(0, 0, 50, 10)
    np.testing.assert_array_equal(first, draws().points_of_epoch(0, 0, 50, 10))
    np.testing.assert_array_equal(first, draws(seeds=(5, 0)).points_of_epoch(1, 0, 50, 10))
    for others in (
        draws().points_of_epoch(0, 1, 50, 10), draws().points_of_epoch(1, 0, 50, 10),
        draws(base_seed=1).points_of_epoch(0, 0, 50, 10),
    ):  # fmt: skip
        assert (first != others).any()


def test_a_batch_of_all_points_is_all_points():
    assert draws().points_of_epoch(0, 7, 5, 5).tolist() == [[0, 1, 2, 3, 4]]
