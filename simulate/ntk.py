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
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from simulate.architecture import Linearisation


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
    for rows, columns, (parts,) in _tiles(at):
        weight = 1 if rows == columns else 2
        layers.add(torch.stack([_norm(part) for part in parts], -1), weight)
        total.add(_norm(_sum(parts)), weight)
    return total.whole(), layers.whole()


def compare(at: Linearisation, other: Linearisation) -> Comparison:
    """Compare two kernels."""
    change, change_layers, norm, norm_other = _Norm(), _Norm(), _Norm(), _Norm()
    product = torch.zeros_like(at.output[:, 0])
    for rows, columns, (parts, parts_other) in _tiles(at, other):
        weight = 1 if rows == columns else 2
        differences = [part - part_other for part, part_other in zip(parts, parts_other, strict=True)]
        change_layers.add(torch.stack([_norm(part) for part in differences], -1), weight)
        change.add(_norm(_sum(differences)), weight)
        ours, theirs = _sum(parts), _sum(parts_other)
        norm.add(_norm(ours), weight)
        norm_other.add(_norm(theirs), weight)
        product += weight * torch.linalg.vecdot(ours.flatten(1), theirs.flatten(1))
    return Comparison(change.whole(), change_layers.whole(), norm.whole(), norm_other.whole(), product)


def kernel(at: Linearisation) -> Tensor:
    """Return the whole kernel, shape (members, n, n)."""
    n = at.output.shape[1]
    if n <= at.tile:
        *others, last = at.kernel_layers()
        return _sum([last, *others])
    found = at.output.new_empty(len(at.output), n, n)
    for rows, columns, (parts,) in _tiles(at):
        part = _sum(parts)
        found[:, rows, columns] = part
        if rows != columns:
            found[:, columns, rows] = part.mT
    return found


def _tiles(*linearised: Linearisation) -> Iterator[tuple[slice, slice, list[list[Tensor]]]]:
    """Yield the tiles on and above the diagonal: rows, columns, and of each linearisation the layers' parts there."""
    n, tile = linearised[0].output.shape[1], min(at.tile for at in linearised)
    cuts = [slice(start, min(start + tile, n)) for start in range(0, n, tile)]
    if len(cuts) == 1:
        yield cuts[0], cuts[0], [at.kernel_layers() for at in linearised]
        return
    for place, rows in enumerate(cuts):
        left = [at.points(rows) for at in linearised]
        yield rows, rows, [a.kernel_layers() for a in left]
        for columns in cuts[place + 1 :]:
            yield rows, columns, [a.kernel_layers(at.points(columns)) for a, at in zip(left, linearised, strict=True)]


def _sum(parts: list[Tensor]) -> Tensor:
    """Add the parts up, into the first one."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


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
