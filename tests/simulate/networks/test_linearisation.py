"""Kernels in tiles, sums in place, points as they are."""

import pytest
import torch

from simulate.networks.fully_connected import FullyConnected
from simulate.networks.linearisation import Points, RunningSum, tile_slices
from theory import Activation


@pytest.mark.parametrize("n", [1, 7, 8, 23, 64, 1000])
@pytest.mark.parametrize("tile_size", [1, 8, 20, 256])
def test_slices_cover_the_points_once_in_near_equal_parts(n, tile_size):
    slices = tile_slices(n, tile_size)
    assert [i for rows in slices for i in range(n)[rows]] == list(range(n))
    lengths = [rows.stop - rows.start for rows in slices]
    assert max(lengths) <= tile_size
    assert len(set(lengths[:-1])) <= 1
    assert len(slices) == -(-n // tile_size)  # as few as there can be
    assert all(length % 8 == 0 or length == tile_size for length in lengths[:-1])


@pytest.mark.parametrize("tile", [4, 16])
def test_a_kernel_in_tiles_is_symmetric_and_the_kernel_in_one_piece(tile, monkeypatch):
    x = torch.randn(37, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net = FullyConnected(5, 6, 2, Activation("softplus"))
    linearisation = net.linearise(net.initial_weights(0, range(2)), x)
    whole = linearisation.kernel()
    monkeypatch.setattr("simulate.networks.fully_connected._CPU_TILE", tile)
    tiled = linearisation.kernel()
    # rounding of sums over six neurons: products of equal rows may be summed in another order on either side
    torch.testing.assert_close(tiled, tiled.mT, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(tiled, whole, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(sum(linearisation.kernel_layers()), whole)


def test_a_running_sum_is_formed_in_its_first_summand():
    first, second = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0])
    total = RunningSum()
    for summand in (first, second, second):
        total.add(summand)
    assert total.value.data_ptr() == first.data_ptr()
    assert total.value.tolist() == [21.0, 42.0]
    assert second.tolist() == [10.0, 20.0]


def test_points_as_they_are_do_not_depend_on_the_members():
    points = Points(torch.arange(12.0).reshape(4, 3))
    assert points.select(torch.tensor([3, 3, 0])) is points
    assert torch.equal(points.select_points(torch.tensor([2, 0])).a, points.a[[2, 0]])
    v = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(points.norm(v), v.square().sum((1, 2)).sqrt())
