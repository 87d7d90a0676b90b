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

_DIAGONAL_BLOCK = 32  # points whose kernel is formed for its diagonal: small against n, large enough for products


@dataclass
class Comparison:
    """A kernel Theta beside another, Theta_0, of the same networks on the same points.

    ``change`` ||Theta - Theta_0||_F, ``norm`` ||Theta||_F, ``norm_reference`` ||Theta_0||_F and ``product``
    <Theta, Theta_0>_F have shape (members,), ``change_layers`` (members, L+1).
    """

    change: Tensor
    change_layers: Tensor
    norm: Tensor
    norm_reference: Tensor
    product: Tensor

    @property
    def alignment(self) -> Tensor:
        """<Theta, Theta_0>_F / (||Theta||_F ||Theta_0||_F), shape (members,)."""
        return self.product / (self.norm * self.norm_reference)


def norms(linearisation: Linearisation) -> tuple[Tensor, Tensor]:
    """Return the kernel's Frobenius norm, shape (members,), and that of each layer's part, (members, L+1)."""
    norm, norm_layers = _TiledNorm(), _TiledNorm()
    for multiplicity, (parts,) in _tiles(linearisation):
        kernel, part_norms = RunningSum(), []
        for part in parts:
            part_norms.append(_frobenius(part))
            kernel.add(part)
        norm_layers.add(torch.stack(part_norms, -1), multiplicity)
        norm.add(_frobenius(kernel.value), multiplicity)
    return norm.total(), norm_layers.total()


def compare(linearisation: Linearisation, reference: Linearisation) -> Comparison:
    """Compare the kernel Theta of a linearisation with that of another, Theta_0."""
    change, change_layers, norm, norm_reference = _TiledNorm(), _TiledNorm(), _TiledNorm(), _TiledNorm()
    product = torch.zeros_like(linearisation.output[:, 0])
    for multiplicity, (parts, parts_reference) in _tiles(linearisation, reference):
        kernel, kernel_reference, difference, part_changes = RunningSum(), RunningSum(), RunningSum(), []
        for part, part_reference in zip(parts, parts_reference, strict=True):
            part_difference = part - part_reference
            part_changes.append(_frobenius(part_difference))
            difference.add(part_difference)
            kernel.add(part)
            kernel_reference.add(part_reference)
        change_layers.add(torch.stack(part_changes, -1), multiplicity)
        change.add(_frobenius(difference.value), multiplicity)
        norm.add(_frobenius(kernel.value), multiplicity)
        norm_reference.add(_frobenius(kernel_reference.value), multiplicity)
        product += multiplicity * torch.linalg.vecdot(kernel.value.flatten(1), kernel_reference.value.flatten(1))
    return Comparison(change.total(), change_layers.total(), norm.total(), norm_reference.total(), product)


def diagonal(linearisation: Linearisation) -> Tensor:
    """Return Theta(x, x) of each point, shape (members, n), from small blocks along the diagonal."""
    blocks = []
    for rows in tile_slices(linearisation.output.shape[1], min(_DIAGONAL_BLOCK, linearisation.tile_size)):
        parts = linearisation.select_points(rows).kernel_parts()
        blocks.append(torch.stack([part.diagonal(dim1=-2, dim2=-1) for part in parts]).sum(dim=0))
    return torch.cat(blocks, dim=-1)


def product(theta: Tensor, q: Tensor) -> Tensor:
    """Return Theta q, shape (members, n), for symmetric kernels Theta (members, n, n) and q (members, n).

    It is computed as a row times the matrix: a batched matrix times a column takes four to eight times as long on a
    CPU.
    """
    return torch.bmm(q.unsqueeze(1), theta).squeeze(1)


def _tiles(*linearisations: Linearisation) -> Iterator[tuple[int, list[Iterator[Tensor]]]]:
    """Yield the tiles on and above the diagonal of the linearisations' kernels.

    Each comes as how often it counts (2 above the diagonal) and, for each linearisation, its layers' parts.
    """
    slices = tile_slices(
        linearisations[0].output.shape[1], min(linearisation.tile_size for linearisation in linearisations)
    )
    for number, rows in enumerate(slices):
        lefts = [kernel.select_points(rows) for kernel in linearisations] if len(slices) > 1 else linearisations
        yield 1, [left.kernel_parts() for left in lefts]
        for columns in slices[number + 1 :]:
            rights = [kernel.select_points(columns) for kernel in linearisations]
            yield 2, [left.kernel_parts(right) for left, right in zip(lefts, rights, strict=True)]


def _frobenius(matrices: Tensor) -> Tensor:
    return torch.linalg.vector_norm(matrices, dim=(-2, -1))


class _TiledNorm:
    """The Frobenius norm of a matrix from those of its tiles, each of which counts once or several times."""

    def __init__(self) -> None:
        self._tile_norms: list[Tensor] = []

    def add(self, tile_norm: Tensor, multiplicity: int) -> None:
        self._tile_norms.append(tile_norm if multiplicity == 1 else tile_norm * multiplicity**0.5)

    def total(self) -> Tensor:
        if len(self._tile_norms) == 1:  # equal to the tile's norm in the last bit too
            return self._tile_norms[0]
        return torch.linalg.vector_norm(torch.stack(self._tile_norms), dim=0)
