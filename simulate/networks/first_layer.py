r"""The first layer of a stack of networks on one set of inputs, in two coordinates for its weights.

With a = x / sqrt(d) the preactivations are z = a W_0^T. `Dense` keeps the weights W_0 themselves. `Span` uses that
gradients move W_0 only within the span of the training inputs: W_0(t) = W_0(0) + P(t)^T a_train, with one row of
coefficients P a training point, so that

    z = z(0) + (a a_train^T) P,    dP/dt = delta · q  (elementwise),    |W_0 - W_0(0)|² = tr P^T (a_train a_train^T) P.

Pulling back costs nothing then, and a matrix with n_train columns stands where one with d columns stood. `first_layers`
takes the coordinates with fewer operations. A bias is one more input, the same for every point (`fully_connected`).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

MAX_GRAM_POINTS = 2048  #: of sets with at most so many points, inner products are computed once and kept


@dataclass(eq=False)
class PointSet:
    """Inputs over sqrt(d), ``a`` (n, d); with a bias, one more column, which is that bias for every point."""

    a: Tensor

    @classmethod
    def from_inputs(cls, x: Tensor, bias: float = 0.0) -> PointSet:
        """Return the set of points ``x`` (n, d)."""
        a = x / math.sqrt(x.shape[1])
        return cls(torch.nn.functional.pad(a, (0, 1), value=bias) if bias else a)

    @functools.cached_property
    def gram(self) -> Tensor:
        """Inner products a a^T, (n, n)."""
        return self.a @ self.a.mT


@dataclass
class PointRange:
    """Consecutive points of a set: those with the indices ``rows``."""

    point_set: PointSet
    rows: range

    @classmethod
    def all_points(cls, point_set: PointSet) -> PointRange:
        """Return the range of all points of a set."""
        return cls(point_set, range(len(point_set.a)))

    @property
    def row_slice(self) -> slice:
        """The indices of the points in the set, as a slice."""
        return slice(self.rows.start, self.rows.stop)

    @property
    def a(self) -> Tensor:
        """Inputs over sqrt(d) of these points, (n, d)."""
        return self.point_set.a[self.row_slice]

    def subrange(self, rows: slice) -> PointRange:
        """Return a part of the range; it shares the set's inner products."""
        return PointRange(self.point_set, self.rows[rows])

    def select_points(self, rows: slice | Tensor) -> PointRange:
        """Return some of the points as a set of their own, which keeps inner products between these points only."""
        return PointRange.all_points(PointSet(self.a[rows]))

    def inner(self, other: PointRange) -> Tensor:
        """Return the inner products with the points of ``other``, a a_other^T."""
        if self.point_set is other.point_set and len(self.point_set.a) <= MAX_GRAM_POINTS:
            return self.point_set.gram[self.row_slice, other.row_slice]
        return self.a @ other.a.mT


class FirstLayer(Protocol):
    """The first layer on a set of n inputs, in some coordinates ``w`` of its weights.

    ``v`` is a change of ``w``, ``dz`` (members, n, width) a change of the preactivations z, or a gradient by them.
    """

    @property
    def a(self) -> Tensor:
        """Inputs over sqrt(d), (n, d)."""

    def preactivation(self, w: Tensor) -> Tensor:
        """Return z, shape (members, n, width)."""

    def pushforward(self, v: Tensor) -> Tensor:
        """Return the change of z that ``v`` makes, shape (members, n, width)."""

    def pullback(self, dz: Tensor) -> Tensor:
        """Return the change of ``w`` that is the gradient of sum(dz·z)."""

    def add_pullback(self, w: Tensor, dz: Tensor) -> Tensor:
        """Return ``w + pullback(dz)``."""

    def norm(self, v: Tensor) -> Tensor:
        """Return the Frobenius norm of the change of W_0 that ``v`` stands for, shape (members,)."""

    def inner(self, other: Self) -> Tensor:
        """Return the inner products of the inputs with those of ``other``, a a_other^T."""

    def select(self, index: Tensor | slice) -> FirstLayer:
        """Return the layer for the members with these indices."""

    def select_points(self, rows: slice | Tensor) -> FirstLayer:
        """Return the layer on some of the inputs, as a set of their own."""

    def subrange(self, rows: slice) -> FirstLayer:
        """Return the layer on consecutive inputs; known inner products with the others are used."""


@dataclass
class _OnPoints:
    """The inputs of a first layer, whatever the coordinates of its weights."""

    points: PointRange

    @property
    def a(self) -> Tensor:
        """See `FirstLayer`."""
        return self.points.a

    def inner(self, other: Self) -> Tensor:
        """See `FirstLayer`."""
        return self.points.inner(other.points)


@dataclass
class Dense(_OnPoints):
    """``w`` is W_0, shape (members, width, d)."""

    @classmethod
    def on_inputs(cls, x: Tensor, bias: float = 0.0) -> Dense:
        """Return the layer on ``x`` (n, d); with a ``bias``, its weights have d + 1 columns."""
        return cls(PointRange.all_points(PointSet.from_inputs(x, bias)))

    def _inputs_of(self, members: int) -> Tensor:
        """The inputs as a stack for so many members, without a copy."""
        return self.a.expand(members, -1, -1)

    def preactivation(self, w: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.bmm(self._inputs_of(len(w)), w.mT)

    pushforward = preactivation

    def pullback(self, dz: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.bmm(dz.mT, self._inputs_of(len(dz)))

    def add_pullback(self, w: Tensor, dz: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.baddbmm(w, dz.mT, self._inputs_of(len(dz)))

    def norm(self, v: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return v.norm(dim=(-2, -1))

    def select(self, index: Tensor | slice) -> Dense:
        """Return itself: the inputs are the same for all members."""
        return self

    def select_points(self, rows: slice | Tensor) -> Dense:
        """See `FirstLayer`."""
        return Dense(self.points.select_points(rows))

    def subrange(self, rows: slice) -> Dense:
        """See `FirstLayer`."""
        return Dense(self.points.subrange(rows))


@dataclass
class Span(_OnPoints):
    """``w`` is P, shape (members, n_train, width), zero at the start.

    ``gram`` is a a_train^T, ``offset`` z(0), shape (members, n, width). Only the layer on the training inputs
    themselves can pull back and take norms.
    """

    train: PointSet
    gram: Tensor
    offset: Tensor

    @classmethod
    def from_initial_weights(cls, point_set: PointSet, train: PointSet, first_weights: Tensor) -> Span:
        """Return the layer on ``point_set`` of networks that start from W_0 = ``first_weights`` (members, width, d)."""
        points = PointRange.all_points(point_set)
        gram = train.gram if point_set is train else point_set.a @ train.a.mT
        return cls(points, train, gram, Dense(points).preactivation(first_weights))

    def preactivation(self, w: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.baddbmm(self.offset, self.gram.expand(len(w), -1, -1), w)

    def pushforward(self, v: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.bmm(self.gram.expand(len(v), -1, -1), v)

    def pullback(self, dz: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return dz

    def add_pullback(self, w: Tensor, dz: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return w + dz

    def norm(self, v: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return (v * self.pushforward(v)).sum(dim=(-2, -1)).clamp_min(0.0).sqrt()

    def inner(self, other: Span) -> Tensor:
        """See `FirstLayer`: with training inputs they are known."""
        if other.points.point_set is self.train:
            return self.gram[:, other.points.row_slice]
        return super().inner(other)

    def select(self, index: Tensor | slice) -> Span:
        """See `FirstLayer`."""
        return replace(self, offset=self.offset[index])

    def select_points(self, rows: slice | Tensor) -> Span:
        """See `FirstLayer`."""
        return self._restricted(self.points.select_points(rows), rows)

    def subrange(self, rows: slice) -> Span:
        """See `FirstLayer`."""
        return self._restricted(self.points.subrange(rows), rows)

    def _restricted(self, points: PointRange, rows: slice | Tensor) -> Span:
        return replace(self, points=points, gram=self.gram[rows], offset=self.offset[:, rows])


def span_is_cheaper(n_train: int, input_dim: int) -> bool:
    """Return whether a step takes fewer operations in `Span` than in `Dense`.

    It takes three products with a matrix of n_train columns there, six with one of d columns here.
    """
    return n_train < 2 * input_dim


def first_layers(
    weights: list[Tensor], x_train: Tensor, x_test: Tensor, bias: float = 0.0, *, dense: bool = False
) -> tuple[list[Tensor], FirstLayer, FirstLayer]:
    """Choose coordinates for networks that start from ``weights``; return the start in them and the two data sets.

    ``dense`` asks for the weights themselves.
    """
    if span_is_cheaper(*x_train.shape) and not dense:
        train, test = PointSet.from_inputs(x_train, bias), PointSet.from_inputs(x_test, bias)
        on_train, on_test = (Span.from_initial_weights(point_set, train, weights[0]) for point_set in (train, test))
        return [torch.zeros_like(on_train.offset), *weights[1:]], on_train, on_test
    return weights, Dense.on_inputs(x_train, bias), Dense.on_inputs(x_test, bias)
