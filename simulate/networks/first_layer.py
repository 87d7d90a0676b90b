r"""The first layer of a stack of networks on one set of inputs, in two coordinates for its weights.

With a = x / sqrt(d) the preactivations are z = a W_0^T. `Dense` keeps the weights W_0 themselves. `Span` uses that
gradients move W_0 only within the span of the training inputs: W_0(t) = W_0(0) + P(t)^T a_train, with one row of
coefficients P a training point, so that

    z = z(0) + (a a_train^T) P,    dP/dt = delta · q  (elementwise),    |W_0 - W_0(0)|² = tr P^T (a_train a_train^T) P.

Pulling back costs nothing then, and a matrix with n_train columns stands where one with d columns stood. `first_layers`
takes the one with fewer operations. A bias is a further input, the same for every point (`fully_connected`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor


class FirstLayer(Protocol):
    """A set of n inputs, and what the first layer's part of the weights, ``w``, makes of it.

    Products with the Jacobian of z: ``dz`` (members, n, width) is a change of preactivations, ``v`` one of ``w``.
    """

    a: Tensor  #: (n, d), inputs over sqrt(d)

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

    def points(self, rows: slice | Tensor) -> FirstLayer:
        """Return the layer on a part of the inputs."""


@dataclass
class Dense:
    """``w`` is W_0, shape (members, width, d)."""

    a: Tensor

    @classmethod
    def of(cls, x: Tensor, bias: float = 0.0) -> Dense:
        """Return the layer on ``x`` (n, d); with a ``bias``, its weights have d + 1 columns."""
        a = x / math.sqrt(x.shape[1])
        return cls(torch.nn.functional.pad(a, (0, 1), value=bias) if bias else a)

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

    def inner(self, other: Dense) -> Tensor:
        """See `FirstLayer`."""
        return self.a @ other.a.mT

    def select(self, index: Tensor | slice) -> Dense:
        """Return itself: the inputs are the same for all members."""
        return self

    def points(self, rows: slice | Tensor) -> Dense:
        """See `FirstLayer`."""
        return Dense(self.a[rows])


@dataclass
class Span:
    """``w`` is P, shape (members, n_train, width), zero at the start.

    ``gram`` is a a_train^T, ``offset`` z(0), shape (members, n, width). Only the layer on the training inputs
    themselves can pull back and take norms. ``place`` says which of the training inputs these are; None: others.
    """

    a: Tensor
    gram: Tensor
    offset: Tensor
    place: slice | None = None

    @classmethod
    def of(cls, x: Tensor, x_train: Tensor, first_weights: Tensor, bias: float = 0.0) -> Span:
        """Return the layer on ``x`` (n, d) of networks that start from W_0 = ``first_weights`` (members, width, d)."""
        layer = Dense.of(x, bias)
        place = slice(None) if x is x_train else None
        return cls(layer.a, layer.a @ Dense.of(x_train, bias).a.mT, layer.preactivation(first_weights), place)

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
        return self.a @ other.a.mT if other.place is None else self.gram[:, other.place]

    def select(self, index: Tensor | slice) -> Span:
        """See `FirstLayer`."""
        return replace(self, offset=self.offset[index])

    def points(self, rows: slice | Tensor) -> Span:
        """See `FirstLayer`."""
        place = rows if self.place == slice(None) and isinstance(rows, slice) else None  # else no longer known
        return replace(self, a=self.a[rows], gram=self.gram[rows], offset=self.offset[:, rows], place=place)


def spans(n_train: int, input_dim: int) -> bool:
    """Whether a step takes fewer operations in `Span`: three products with n_train columns against six with d."""
    return n_train < 2 * input_dim


def first_layers(
    weights: list[Tensor], x_train: Tensor, x_test: Tensor, bias: float = 0.0, *, dense: bool = False
) -> tuple[list[Tensor], FirstLayer, FirstLayer]:
    """Choose coordinates for networks that start from ``weights``; return the start in them and the two data sets.

    ``dense`` asks for the weights themselves.
    """
    if spans(*x_train.shape) and not dense:
        inputs, inputs_test = (Span.of(x, x_train, weights[0], bias) for x in (x_train, x_test))
        return [torch.zeros_like(inputs.offset), *weights[1:]], inputs, inputs_test
    return weights, Dense.of(x_train, bias), Dense.of(x_test, bias)
