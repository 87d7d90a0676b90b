"""Kernels tile by tile are the kernels."""

import pytest
import torch

from simulate.networks import ntk
from simulate.networks.fully_connected import FullyConnected
from theory import Activation


@pytest.fixture
def pair():
    """A batch of networks at two sets of weights, on 23 points."""
    x = torch.randn(23, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net = FullyConnected(5, 12, 2, Activation("softplus"))
    weights = net.initial_weights(0, range(3))
    moved = [w + 1e-3 * v for w, v in zip(weights, net.initial_weights(1, range(3)), strict=True)]
    return net.linearise(moved, x), net.linearise(weights, x)


@pytest.mark.parametrize("tile", [1, 4, 22, 23, 100])
def test_norms_changes_and_alignments_do_not_depend_on_the_tiles(pair, tile, monkeypatch):
    now, before = pair
    theta, theta_0 = now.kernel(), before.kernel()
    layers, layers_0 = now.kernel_layers(), before.kernel_layers()
    monkeypatch.setattr("simulate.networks.fully_connected._CPU_TILE", tile)
    # float64 rounding of sums over 23² entries
    tight = {"rtol": 1e-12, "atol": 0.0}
    torch.testing.assert_close(now.kernel(), theta, rtol=1e-13, atol=1e-13)
    total, of_layers = ntk.norms(now)
    torch.testing.assert_close(total, theta.norm(dim=(1, 2)), **tight)
    torch.testing.assert_close(of_layers, torch.stack([k.norm(dim=(1, 2)) for k in layers], -1), **tight)
    found = ntk.compare(now, before)
    change = torch.stack([(a - b).norm(dim=(1, 2)) for a, b in zip(layers, layers_0, strict=True)], -1)
    torch.testing.assert_close(found.change, (theta - theta_0).norm(dim=(1, 2)), rtol=1e-9, atol=0.0)
    torch.testing.assert_close(found.change_layers, change, rtol=1e-9, atol=0.0)
    torch.testing.assert_close(found.norm, total, **tight)
    torch.testing.assert_close(found.norm_reference, theta_0.norm(dim=(1, 2)), **tight)
    cosine = (theta * theta_0).sum((1, 2)) / (theta.norm(dim=(1, 2)) * theta_0.norm(dim=(1, 2)))
    torch.testing.assert_close(found.alignment, cosine, **tight)


def test_no_array_is_larger_than_a_tile(pair, monkeypatch):
    """23 points in tiles of 4: the largest tensor made holds 4 × 4 entries a member, or 4 rows of width 12."""
    now, before = pair
    monkeypatch.setattr("simulate.networks.fully_connected._CPU_TILE", 4)
    sizes = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor) and out.untyped_storage() not in held:
                sizes.append(out[0].numel() if out.ndim == 3 else 0)
            return out

    held = {t.untyped_storage() for at in pair for t in [*at._tensors(), at.first.a]}
    with Watch():
        ntk.compare(now, before)
    assert 0 < max(sizes) <= 4 * 12


def test_a_symmetric_kernel_times_a_vector_is_the_product_of_matrix_and_column():
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(3, 7, 7, generator=generator, dtype=torch.float64)
    theta, q = half @ half.mT, torch.randn(3, 7, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(ntk.product(theta, q), (theta @ q.unsqueeze(-1)).squeeze(-1))
