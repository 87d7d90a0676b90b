r"""Networks linearised at their weights, and the sets of points that they are linearised on.

Everything that the flow needs of a network, beside its output, are products with the Jacobian J = df/dw, which is never
formed whole:

    J^T q (`Linearisation.pullback`),    J v (`pushforward`),    Theta = J J^T = sum_l Theta^l (`kernel_parts`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

from torch import Tensor

from lazyrich.chunking import chunk_size

Weights = list[Tensor]
InitialWeights = Callable[[Tensor], Weights]  # of the members (m,)


class Inputs(Protocol):
    """A set of n points in the coordinates in which the networks' first layer reads it."""

    @property
    def a(self) -> Tensor:
        """The points, (n, ...)."""

    def select(self, index: Tensor | slice) -> Any:
        """Return the same points for the members with these indices."""

    def select_points(self, rows: slice | Tensor) -> Any:
        """Return the points with these indices, for the same members."""

    def norm(self, v: Tensor) -> Tensor:
        """Return the Frobenius norm of the change of the first weights that ``v`` stands for, shape (members,)."""


@dataclass
class Points:
    """Points that all members share, in their own coordinates: ``a`` has shape (n, d)."""

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
        """Return the linearisation of the members with these indices."""

    @abstractmethod
    def put(self, index: Tensor, other: Self) -> None:
        """Overwrite the members with these indices by those of ``other``, in this order."""

    @abstractmethod
    def select_points(self, rows: slice) -> Self:
        """Return the same networks linearised on the points with these indices."""

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
        """Largest number of points for which one square block of the kernel is formed at once.

        It follows from shapes alone.
        """

    def add_pullback(self, weights: Weights, q: Tensor) -> Weights:
        """Return ``weights + J^T q``."""
        return [w + g for w, g in zip(weights, self.pullback(q), strict=True)]

    def kernel_layers(self, other: Self | None = None) -> list[Tensor]:
        """Return all of `kernel_parts`."""
        return list(self.kernel_parts(other))

    def kernel(self) -> Tensor:
        """Return the tangent kernel Theta = J J^T, shape (members, n, n); article convention, without alpha²."""
        n = self.output.shape[1]
        if n <= self.tile_size:
            *others, total = self.kernel_parts()
            for part in others:
                total += part
            return total
        theta = self.output.new_empty(len(self.output), n, n)
        tiles = tile_slices(n, self.tile_size)
        for number, rows in enumerate(tiles):
            left = self.select_points(rows)
            for columns in tiles[number:]:
                block = RunningSum()
                for part in left.kernel_parts(None if columns is rows else self.select_points(columns)):
                    block.add(part)
                theta[:, rows, columns] = block.value
                if columns is not rows:
                    theta[:, columns, rows] = block.value.mT
        return theta


def tile_slices(n: int, tile_size: int) -> list[slice]:
    """Split ``n`` points into the fewest near-equal slices of at most ``tile_size``; all but the last a multiple of 8.

    Matrix products run fastest on multiples of eight.

    Examples
    --------
    >>> tile_slices(20, 12)
    [slice(0, 12, None), slice(12, 20, None)]
    """
    size = min(tile_size, 8 * math.ceil(chunk_size(n, tile_size) / 8))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


class RunningSum:
    """A sum that is formed in the memory of its first summand, so that none of their size is taken beside it."""

    value: Tensor

    def __init__(self) -> None:
        self._started = False

    def add(self, summand: Tensor) -> None:
        """Add a tensor; the first one becomes `value` and is overwritten by further sums."""
        if self._started:
            self.value += summand
        else:
            self.value, self._started = summand, True
