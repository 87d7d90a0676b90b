r"""Networks linearised at their weights, and the sets of points that they are linearised on.

Everything that the flow needs of a network, beside its output, are products with the Jacobian J = df/dw, which is never
formed whole:

    J^T q (`Linearisation.pullback`),    J v (`pushforward`),    Theta = J J^T = sum_l Theta^l (`kernel_parts`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

from torch import Tensor

from lazyrich.chunking import chunk_size

Weights = list[Tensor]


class Inputs(Protocol):
    """A set of n points, and what the networks' first layer makes of it."""

    @property
    def a(self) -> Tensor:
        """The points, (n, ...)."""

    def select(self, index: Tensor | slice) -> Any:
        """Return it for the members named by ``index``."""

    def select_points(self, rows: slice | Tensor) -> Any:
        """Return it for a part of the points."""

    def norm(self, v: Tensor) -> Tensor:
        """Return the Frobenius norm of the change of the first weights that ``v`` stands for, shape (members,)."""


@dataclass
class Points:
    """Points that all members share, as they are: ``a`` of shape (n, d)."""

    a: Tensor

    def select(self, index: Tensor | slice) -> Points:
        """Return itself: the points are the same for all members."""
        return self

    def select_points(self, rows: slice | Tensor) -> Points:
        """See `Inputs`."""
        return Points(self.a[rows])

    def norm(self, v: Tensor) -> Tensor:
        """See `Inputs`."""
        return v.norm(dim=(-2, -1))


class Linearisation(ABC):
    """Networks linearised at their weights, on one set of n points.

    ``output`` is f, shape (members, n); q below has this shape, v is a set of stacked weights.
    """

    output: Tensor

    @abstractmethod
    def select(self, index: Tensor) -> Self:
        """Return the members named by ``index``."""

    @abstractmethod
    def put(self, index: Tensor, other: Self) -> None:
        """Overwrite the members named by ``index`` with those of ``other``, in this order."""

    @abstractmethod
    def select_points(self, rows: slice) -> Self:
        """Return the same networks on a part of the points."""

    @abstractmethod
    def pullback(self, q: Tensor) -> Weights:
        """Return ``J^T q``, a set of stacked weights."""

    @abstractmethod
    def pushforward(self, v: Weights) -> Tensor:
        """Return ``J v``, shape (members, n)."""

    @abstractmethod
    def kernel_parts(self, other: Self | None = None) -> Iterator[Tensor]:
        """Yield the summands Theta^l of the tangent kernel, one per matrix, each a new tensor (members, n, n_other)."""

    @abstractmethod
    def kernel_trace(self) -> Tensor:
        """Return the trace of `kernel`, shape (members,), at a fraction of its cost."""

    @property
    @abstractmethod
    def tile_size(self) -> int:
        """Points whose kernel with as many others is formed at once; it follows from shapes alone."""

    def add_pullback(self, weights: Weights, q: Tensor) -> Weights:
        """Return ``weights + J^T q``."""
        return [w + g for w, g in zip(weights, self.pullback(q), strict=True)]

    def kernel_layers(self, other: Self | None = None) -> list[Tensor]:
        """Return all of `kernel_parts`."""
        return list(self.kernel_parts(other))

    def kernel(self) -> Tensor:
        """Return the tangent kernel Theta = J J^T, shape (members, n, n); article convention, without alpha²."""
        n, tile = self.output.shape[1], self.tile_size
        if n <= tile:
            *others, total = self.kernel_parts()
            for part in others:
                total += part
            return total
        whole = self.output.new_empty(len(self.output), n, n)
        cuts = tile_slices(n, tile)
        for place, rows in enumerate(cuts):
            left = self.select_points(rows)
            for columns in cuts[place:]:
                block = RunningSum()
                for part in left.kernel_parts(None if columns is rows else self.select_points(columns)):
                    block.add(part)
                whole[:, rows, columns] = block.value
                if columns is not rows:
                    whole[:, columns, rows] = block.value.mT
        return whole


def tile_slices(n: int, tile: int) -> list[slice]:
    """As few parts as there can be of at most ``tile`` points, even ones: multiples of eight, as processors like it."""
    size = min(tile, 8 * math.ceil(chunk_size(n, tile) / 8))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


class RunningSum:
    """A sum of tensors that are the caller's to give away."""

    value: Tensor

    def __init__(self) -> None:
        self.started = False

    def add(self, part: Tensor) -> None:
        """Add ``part``, which is overwritten."""
        if self.started:
            self.value += part
        else:
            self.value, self.started = part, True
