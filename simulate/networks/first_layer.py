r"""The first layer of a stack of networks on one set of inputs, in two coordinates for its weights.

With a = x / sqrt(d) the preactivations are z = a W_0^T. `Dense` keeps the weights W_0 themselves. `Span` uses that
gradients move W_0 only within the span of the training inputs: W_0(t) = W_0(0) + P(t)^T a_train, with one row of
coefficients P a training point, so that

    z = z(0) + (a a_train^T) P,    dP/dt = delta · q  (elementwise),    |W_0 - W_0(0)|² = tr P^T (a_train a_train^T) P.

Pulling back costs nothing then, and a matrix with n_train columns stands where one with d columns stood. `first_layers`
takes the one with fewer operations. A bias is a further input, the same for every point (`fully_connected`).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

MAX_GRAM_POINTS = 2048  #: points: of so many, inner products with one another are computed once and kept


@dataclass(eq=False)
class PointSet:
    """Inputs over sqrt(d), ``a`` (n, d); with a bias, a column more."""

    a: Tensor

    @classmethod
    def of(cls, x: Tensor, bias: float = 0.0) -> PointSet:
        """Return that of points ``x`` (n, d)."""
        a = x / math.sqrt(x.shape[1])
        return cls(torch.nn.functional.pad(a, (0, 1), value=bias) if bias else a)

    @functools.cached_property
    def gram(self) -> Tensor:
        """a a^T."""
        return self.a @ self.a.mT


@dataclass
class Part:
    """Points of a set one after the other, ``rows`` of it."""

    whole: PointSet
    rows: range

    @classmethod
    def all(cls, whole: PointSet) -> Part:
        """Return those of the whole set."""
        return cls(whole, range(len(whole.a)))

    @property
    def place(self) -> slice:
        """Where they are."""
        return slice(self.rows.start, self.rows.stop)

    @property
    def a(self) -> Tensor:
        """Their inputs over sqrt(d), (n, d)."""
        return self.whole.a[self.place]

    def tile(self, rows: slice) -> Part:
        """Return some of them."""
        return Part(self.whole, self.rows[rows])

    def select_points(self, rows: slice | Tensor) -> Part:
        """Return some of them as a set of its own: inner products are kept of no more points than these."""
        return Part.all(PointSet(self.a[rows]))

    def inner(self, other: Part) -> Tensor:
        """Return inner products with others, a a_other^T."""
        if self.whole is other.whole and len(self.whole.a) <= MAX_GRAM_POINTS:
            return self.whole.gram[self.place, other.place]
        return self.a @ other.a.mT


class FirstLayer(Protocol):
    """A set of n inputs, and what the first layer's part of the weights, ``w``, makes of it.

    Products with the Jacobian of z: ``dz`` (members, n, width) is a change of preactivations, ``v`` one of ``w``.
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
        """Return the layer for the members named by ``index``."""

    def select_points(self, rows: slice | Tensor) -> FirstLayer:
        """Return the layer on a part of the inputs, a set of its own."""

    def tile(self, rows: slice) -> FirstLayer:
        """Return the layer on a part of the inputs, whose inner products with the others may be known."""


@dataclass
class _OnPoints:
    """What the coordinates below share."""

    own: Part

    @property
    def a(self) -> Tensor:
        """See `FirstLayer`."""
        return self.own.a

    def inner(self, other: Self) -> Tensor:
        """See `FirstLayer`."""
        return self.own.inner(other.own)


@dataclass
class Dense(_OnPoints):
    """``w`` is W_0, shape (members, width, d)."""

    @classmethod
    def of(cls, x: Tensor, bias: float = 0.0) -> Dense:
        """Return the layer on ``x`` (n, d); with a ``bias``, its weights have d + 1 columns."""
        return cls(Part.all(PointSet.of(x, bias)))

    def _spread(self, members: int) -> Tensor:
        return self.a.expand(members, -1, -1)

    def preactivation(self, w: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.bmm(self._spread(len(w)), w.mT)

    pushforward = preactivation

    def pullback(self, dz: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.bmm(dz.mT, self._spread(len(dz)))

    def add_pullback(self, w: Tensor, dz: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return torch.baddbmm(w, dz.mT, self._spread(len(dz)))

    def norm(self, v: Tensor) -> Tensor:
        """See `FirstLayer`."""
        return v.norm(dim=(-2, -1))

    def select(self, index: Tensor | slice) -> Dense:
        """Return itself: the inputs are the same for all members."""
        return self

    def select_points(self, rows: slice | Tensor) -> Dense:
        """See `FirstLayer`."""
        return Dense(self.own.select_points(rows))

    def tile(self, rows: slice) -> Dense:
        """See `FirstLayer`."""
        return Dense(self.own.tile(rows))


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
    def of(cls, own: PointSet, train: PointSet, first_weights: Tensor) -> Span:
        """Return the layer on a set of networks that start from W_0 = ``first_weights`` (members, width, d)."""
        whole = Part.all(own)
        gram = train.gram if own is train else own.a @ train.a.mT
        return cls(whole, train, gram, Dense(whole).preactivation(first_weights))

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
        return self.gram[:, other.own.place] if other.own.whole is self.train else super().inner(other)

    def select(self, index: Tensor | slice) -> Span:
        """See `FirstLayer`."""
        return replace(self, offset=self.offset[index])

    def select_points(self, rows: slice | Tensor) -> Span:
        """See `FirstLayer`."""
        return self._on(self.own.select_points(rows), rows)

    def tile(self, rows: slice) -> Span:
        """See `FirstLayer`."""
        return self._on(self.own.tile(rows), rows)

    def _on(self, own: Part, rows: slice | Tensor) -> Span:
        return replace(self, own=own, gram=self.gram[rows], offset=self.offset[:, rows])


def span_is_cheaper(n_train: int, input_dim: int) -> bool:
    """Whether a step takes fewer operations in `Span`: three products with n_train columns against six with d."""
    return n_train < 2 * input_dim


def first_layers(
    weights: list[Tensor], x_train: Tensor, x_test: Tensor, bias: float = 0.0, *, dense: bool = False
) -> tuple[list[Tensor], FirstLayer, FirstLayer]:
    """Choose coordinates for networks that start from ``weights``; return the start in them and the two data sets.

    ``dense`` asks for the weights themselves.
    """
    if span_is_cheaper(*x_train.shape) and not dense:
        train, test = PointSet.of(x_train, bias), PointSet.of(x_test, bias)
        inputs, inputs_test = (Span.of(points, train, weights[0]) for points in (train, test))
        return [torch.zeros_like(inputs.offset), *weights[1:]], inputs, inputs_test
    return weights, Dense.of(x_train, bias), Dense.of(x_test, bias)
