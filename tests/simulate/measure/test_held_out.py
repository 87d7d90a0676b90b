"""The test set as a batch sees it: the predictor, its growth, its rate at the start, kernels and their change."""

import pytest
import torch

from simulate.measure.held_out import HeldOut
from simulate.networks import ntk
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.operations import EVENT_POINTS
from theory import Activation

POINTS, KERNEL_POINTS = 7, 4
#: of three members, the first and the last have the same initial weights
SEED_OF, ALPHA = torch.tensor([1, 0, 1]), torch.tensor([0.5, 2.0, 8.0], dtype=torch.float64)
ALL = torch.arange(3)


def held_out(points=POINTS, subtract=True):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(points, 6, generator=generator, dtype=torch.float64)
    network = FullyConnected(6, 5, 2, Activation("softplus"))
    initial = network.initial_weights(0, [0, 1])
    sight = HeldOut(network, initial, SEED_OF, ALPHA, Dense.on_inputs(x), KERNEL_POINTS, subtract=subtract)
    at_start = [w[SEED_OF] for w in initial]
    moved = [w + 0.3 * torch.randn(w.shape, generator=generator, dtype=w.dtype) for w in at_start]
    return sight, network, x, at_start, moved


def kernels(network, weights, x):
    return network.linearise(weights, Dense.on_inputs(x)).kernel_layers()


@pytest.mark.parametrize("subtract", [True, False])
def test_the_predictor_is_alpha_times_the_output_less_the_initial_one(subtract):
    sight, network, x, at_start, moved = held_out(subtract=subtract)
    before, after = (network.output(w, x) for w in (at_start, moved))
    expected = ALPHA[:, None] * (after - before if subtract else after)
    torch.testing.assert_close(sight.predictor(ALL, moved), expected)
    torch.testing.assert_close(sight.output_rms(ALL, moved), expected.square().mean(1).sqrt())
    torch.testing.assert_close(sight.growth(ALL, moved), ALPHA[:, None] * (after - before))  # f_0 is never in it


def test_some_members_are_seen_as_among_all():
    sight, _, _, _, moved = held_out()
    some = torch.tensor([2, 0])
    part = [w[some] for w in moved]
    torch.testing.assert_close(sight.predictor(some, part), sight.predictor(ALL, moved)[some])
    for one, whole in zip(sight.kernel_change(some, part), sight.kernel_change(ALL, moved), strict=True):
        torch.testing.assert_close(one, whole[some])


def test_events_are_seen_on_the_first_points_alone():
    sight, _, _, _, moved = held_out(points=EVENT_POINTS + 3)
    growth = sight.growth(ALL, moved)
    assert growth.shape == (3, EVENT_POINTS)
    torch.testing.assert_close(growth, sight.predictor(ALL, moved)[:, :EVENT_POINTS])


def test_the_change_is_of_frobenius_norms_on_the_kernels_points_as_a_whole_and_by_layer():
    sight, network, x, at_start, moved = held_out()
    old, new = (kernels(network, w, x[:KERNEL_POINTS]) for w in (at_start, moved))
    total, layers = sight.kernel_change(ALL, moved)
    torch.testing.assert_close(total, (sum(new) - sum(old)).norm(dim=(1, 2)) / sum(old).norm(dim=(1, 2)))
    for number, (a, b) in enumerate(zip(new, old, strict=True)):
        torch.testing.assert_close(layers[:, number], (a - b).norm(dim=(1, 2)) / b.norm(dim=(1, 2)))


def test_the_initial_diagonal_has_a_row_a_seed():
    sight, network, x, at_start, _ = held_out()
    diagonal = sum(kernels(network, at_start, x[:KERNEL_POINTS])).diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(sight.initial_kernel_diagonal()[SEED_OF], diagonal)


def test_memory_cuts_outputs_and_kernels_into_tiles_with_the_same_numbers(monkeypatch):
    whole, network, _, _, moved = held_out()
    monkeypatch.setattr("simulate.measure.held_out._KERNEL_BYTES", 1)
    monkeypatch.setattr("simulate.measure.held_out._OUTPUT_BYTES", 2 * 8 * network.size.kept_per_point)
    tiled, *_ = held_out()
    torch.testing.assert_close(tiled.predictor(ALL, moved), whole.predictor(ALL, moved))
    torch.testing.assert_close(tiled.norm_initial, whole.norm_initial)
    for a, b in zip(tiled.kernel_change(ALL, moved), whole.kernel_change(ALL, moved), strict=True):
        torch.testing.assert_close(a, b)


def test_norms_are_those_of_the_initial_kernels():
    sight, network, x, at_start, _ = held_out()
    norm, layers = ntk.norms(network.linearise(at_start, Dense.on_inputs(x[:KERNEL_POINTS])))
    torch.testing.assert_close(sight.norm_initial[SEED_OF], norm)
    torch.testing.assert_close(sight.layer_norm_initial[SEED_OF], layers)
