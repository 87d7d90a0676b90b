r"""Tangent kernels tile by tile: norms, changes and alignments of kernels that need not fit into memory.

A kernel of n points is formed in square tiles of its upper triangle; a tile off the diagonal counts twice, its mirror
image is not computed. For two linearisations of the same networks, with kernels Theta = sum_l Theta^l and Theta_0,

    |Theta|_F,    |Theta - Theta_0|_F,    <Theta, Theta_0>_F,    and of each layer's part Theta^l the first two,

are sums over tiles: no array of n² entries and none of n times the number of weights is kept. The change is summed from
differences, entry by entry, and so keeps its digits where it is small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.networks.linearisation import Linearisation, RunningSum, tile_slices


@dataclass
class Comparison:
    """A kernel Theta beside another, Theta_0, of the same networks on the same points.

    ``change`` ||Theta - Theta_0||_F, ``norm`` ||Theta||_F, ``norm_other`` ||Theta_0||_F and ``product``
    <Theta, Theta_0>_F have shape (members,), ``change_layers`` (members, L+1).
    """

    change: Tensor
    change_layers: Tensor
    norm: Tensor
    norm_other: Tensor
    product: Tensor

    @property
    def alignment(self) -> Tensor:
        """<Theta, Theta_0>_F / (||Theta||_F ||Theta_0||_F), shape (members,)."""
        return self.product / (self.norm * self.norm_other)


def norms(at: Linearisation) -> tuple[Tensor, Tensor]:
    """Return the kernel's Frobenius norm, shape (members,), and that of each layer's part, (members, L+1)."""
    total, layers = _Norm(), _Norm()
    for weight, (parts,) in _tiles(at):
        whole, own = RunningSum(), []
        for part in parts:
            own.append(_norm(part))
            whole.add(part)
        layers.add(torch.stack(own, -1), weight)
        total.add(_norm(whole.value), weight)
    return total.whole(), layers.whole()


def compare(at: Linearisation, other: Linearisation) -> Comparison:
    """Compare two kernels."""
    change, change_layers, norm, norm_other = _Norm(), _Norm(), _Norm(), _Norm()
    product = torch.zeros_like(at.output[:, 0])
    for weight, tiles in _tiles(at, other):
        ours, theirs, difference, own = RunningSum(), RunningSum(), RunningSum(), []
        for part, part_other in zip(*tiles, strict=True):
            moved = part - part_other
            own.append(_norm(moved))
            difference.add(moved)
            ours.add(part)
            theirs.add(part_other)
        change_layers.add(torch.stack(own, -1), weight)
        change.add(_norm(difference.value), weight)
        norm.add(_norm(ours.value), weight)
        norm_other.add(_norm(theirs.value), weight)
        product += weight * torch.linalg.vecdot(ours.value.flatten(1), theirs.value.flatten(1))
    return Comparison(change.whole(), change_layers.whole(), norm.whole(), norm_other.whole(), product)


def product(theta: Tensor, q: Tensor) -> Tensor:
    """Return Theta q, shape (members, n), of symmetric kernels (members, n, n) and q (members, n).

    As a row times the matrix: a batched matrix times a column takes four to eight times as long on a CPU.
    """
    return torch.bmm(q.unsqueeze(1), theta).squeeze(1)


def _tiles(*linearised: Linearisation) -> Iterator[tuple[int, list[Iterator[Tensor]]]]:
    """Yield the tiles on and above the diagonal: how often each counts, and of each linearisation the layers' parts."""
    cuts = tile_slices(linearised[0].output.shape[1], min(at.tile_size for at in linearised))
    for place, rows in enumerate(cuts):
        left = [at.select_points(rows) for at in linearised] if len(cuts) > 1 else linearised
        yield 1, [a.kernel_parts() for a in left]
        for columns in cuts[place + 1 :]:
            yield 2, [a.kernel_parts(at.select_points(columns)) for a, at in zip(left, linearised, strict=True)]


def _norm(matrices: Tensor) -> Tensor:
    return torch.linalg.vector_norm(matrices, dim=(-2, -1))


class _Norm:
    """The norm of a whole from the norms of its tiles."""

    def __init__(self) -> None:
        self.parts: list[Tensor] = []

    def add(self, norm: Tensor, weight: int) -> None:
        self.parts.append(norm if weight == 1 else norm * weight**0.5)

    def whole(self) -> Tensor:
        # of one tile its own norm, to the last bit
        return self.parts[0] if len(self.parts) == 1 else torch.linalg.vector_norm(torch.stack(self.parts), dim=0)
