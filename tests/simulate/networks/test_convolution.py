"""A convolution by products with patches is torch's, and so are its derivatives."""

import math

import pytest
import torch
from torch.nn.functional import conv2d

from simulate.networks import convolution
from simulate.networks.convolution import Convolution, convolutions, largest_depth, member_point_blocks, with_padding

CASES = [(9, 8, 2, 1, 0.0), (9, 8, 2, 2, 0.0), (6, 7, 1, 2, 0.3), (12, 5, 3, 1, 0.3)]
MEMBERS, POINTS, CHANNELS_OUT = 2, 4, 3


def drawn(case, members, dtype=torch.float64):
    """A convolution, padded inputs of so many members, and W."""
    layer, generator = Convolution(*case), torch.Generator().manual_seed(0)
    a = torch.randn(members, POINTS, layer.height, layer.width, layer.channels, generator=generator, dtype=dtype)
    return layer, with_padding(a), torch.randn(MEMBERS, CHANNELS_OUT, layer.columns, generator=generator, dtype=dtype)


def by_torch(layer, a, w):
    """(members, n, P, h), from padded inputs."""
    images = a.expand(len(w), *a.shape[1:]).permute(0, 1, 4, 2, 3)
    z = torch.stack([conv2d(x, layer.filters(v), None, layer.stride) for x, v in zip(images, w, strict=True)])
    z = z.permute(0, 1, 3, 4, 2).flatten(2, 3)
    return z + layer.bias * w[:, None, None, :, -1] if layer.bias else z


@pytest.fixture(params=[1, 2**22])
def _block_bytes(request, monkeypatch):
    """Patches of one image at once, or of all."""
    monkeypatch.setattr(convolution, "_CPU_BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("_block_bytes")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("members", [1, MEMBERS])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_convolution_and_its_gradients_are_torchs(case, members, dtype):
    layer, a, w = drawn(case, members, dtype)
    # rounding of sums over 100 numbers
    tight = {"rtol": 1e-10, "atol": 1e-10} if dtype == torch.float64 else {"rtol": 1e-4, "atol": 1e-3}
    leaves = a.expand(MEMBERS, *a.shape[1:]).clone().requires_grad_(), w.clone().requires_grad_()
    expected = by_torch(layer, *leaves)
    torch.testing.assert_close(layer.convolve(a, w), expected.detach(), **tight)
    dz = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    by_inputs, by_weights = torch.autograd.grad(expected, leaves, dz)
    torch.testing.assert_close(layer.weight_gradient(a, dz), by_weights, **tight)
    inner = by_inputs[:, :, 1:-1, 1:-1]  # without the padding
    torch.testing.assert_close(layer.input_gradient(dz, w), inner, **tight)


@pytest.mark.parametrize("case", CASES)
def test_patches_times_filters_are_the_convolution(case):
    layer, a, w = drawn(case, MEMBERS)
    u = layer.patches(a)
    assert u.shape == (MEMBERS, POINTS, layer.positions, layer.columns)
    torch.testing.assert_close(torch.einsum("mnpk,mhk->mnph", u, w), by_torch(layer, a, w))
    assert layer.patches(u) is u


def test_stages_shrink_as_the_published_ones():
    sizes = [(layer.out_height, layer.out_width, layer.stride) for layer in convolutions((28, 28, 1), 50, 4, 0.0)]
    assert sizes == [(13, 13, 2), (11, 11, 1), (5, 5, 2), (3, 3, 1)]
    assert [layer.out_height for layer in convolutions((32, 32, 3), 50, 4, 0.0)] == [15, 13, 6, 4]
    assert [layer.channels for layer in convolutions((32, 32, 3), 50, 4, 0.0)] == [3, 50, 50, 50]


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 20, 3), (3, 9, 1), (2, 2, 1)])
def test_the_largest_depth_is_that_whose_images_have_room_for_a_filter(shape):
    depth = largest_depth(shape)
    assert all(min(layer.out_height, layer.out_width) >= 1 for layer in convolutions(shape, 4, depth, 0.0))
    assert (
        min(convolutions(shape, 4, depth + 1, 0.0)[-1].out_height, convolutions(shape, 4, depth + 1, 0.0)[-1].out_width)
        < 1
    )


def test_blocks_cover_members_and_points_once():
    covered = torch.zeros(5, 7)
    for members, points in member_point_blocks(5, 2, 7, 3):
        covered[members, points] += 1
    assert (covered == 1).all()
    assert len(list(member_point_blocks(5, 2, 7, 3))) == math.ceil(5 / 2) * math.ceil(7 / 3)
