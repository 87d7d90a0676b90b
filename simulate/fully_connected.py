"""Stacked fully connected networks: forward, backward, tangent kernel and Jacobian products, layer by layer.

Article convention (arXiv:1906.08034, no bias): a^l = x^l / sqrt(fan-in), z^l = a^l W_l^T, x^{l+1} = sigma(z^l),
f = z^L. A batch holds ``members`` networks; weights are ``depth + 1`` tensors of shape (members, n_out, n_in).

The Jacobian J = df/dw is never formed. Its part of weight matrix l at datum i is the outer product
delta^l_i a^l_i^T with delta^l = df/dz^l, so that (with q a vector over data, v one over weights)

    J^T q  = sum_i q_i delta^l_i a^l_i^T,    (J v)_i = sum_l delta^l_i · (v_l a^l_i),
    Theta  = sum_l (a^l a^l^T) * (delta^l delta^l^T)      (elementwise product of two Gram matrices).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.activation import compile_activation
from simulate.first_layer import Dense, FirstLayer
from theory import Activation

Weights = list[Tensor]


@dataclass
class Linearisation:
    """Networks linearised at their weights, on one set of ``n`` inputs.

    Attributes
    ----------
    first : FirstLayer
        The inputs a^0, and what the first set of weights is.
    inputs : list of Tensor
        a^l for l = 1..depth, shapes (members, n, width).
    output : Tensor
        f, shape (members, n).
    deltas : list of Tensor
        df/dz^l for l = 0..depth-1, shapes (members, n, width); df/dz^L = 1 is not stored.
    """

    first: FirstLayer
    inputs: list[Tensor]
    output: Tensor
    deltas: list[Tensor]

    def _tensors(self) -> list[Tensor]:
        return [*self.inputs, self.output, *self.deltas]

    def select(self, index: Tensor) -> Linearisation:
        """Return the members named by ``index``."""
        # of the first layer only products with the Jacobian are taken, and these are the same for all members
        return Linearisation(
            self.first,
            [a[index] for a in self.inputs],
            self.output[index],
            [d[index] for d in self.deltas],
        )

    def put(self, index: Tensor, other: Linearisation) -> None:
        """Overwrite the members named by ``index`` with the same members of ``other``."""
        for mine, theirs in zip(self._tensors(), other._tensors(), strict=True):
            mine[index] = theirs[index]

    def kernel_layers(self, other: Linearisation | None = None) -> list[Tensor]:
        """Return the summands Theta^l, l = 0..depth, of the tangent kernel, each (members, n, n_other)."""
        other = self if other is None else other
        # inputs are shared: one Gram matrix for all members
        parts = [torch.bmm(self.deltas[0], other.deltas[0].mT).mul_(self.first.a @ other.first.a.mT)]
        for layer, (a, b) in enumerate(zip(self.inputs, other.inputs, strict=True), 1):
            part = torch.bmm(a, b.mT)
            if layer < len(self.deltas):
                part = torch.bmm(self.deltas[layer], other.deltas[layer].mT).mul_(part)
            parts.append(part)
        return parts

    def kernel(self) -> Tensor:
        """Return the tangent kernel Theta = J J^T, shape (members, n, n); article convention, without alpha²."""
        parts = self.kernel_layers()
        total = parts.pop()
        for part in parts:
            total += part
        return total

    def kernel_trace(self) -> Tensor:
        """Return the trace of `kernel`, shape (members,), at a fraction of its cost."""
        a_square, total = _square_norms(self.first.a), torch.zeros_like(self.output[:, 0])
        for a, d in zip(self.inputs, self.deltas, strict=True):
            total = total + (a_square * _square_norms(d)).sum(-1)
            a_square = _square_norms(a)
        return total + a_square.sum(-1)

    def pullback(self, q: Tensor) -> Weights:
        """Return ``J^T q``, a set of stacked weights, for q of shape (members, n)."""
        q = q.unsqueeze(-1)
        hidden = [torch.bmm((d * q).mT, a) for d, a in zip(self.deltas[1:], self.inputs, strict=False)]
        return [self.first.pullback(self.deltas[0] * q), *hidden, torch.bmm(q.mT, self.inputs[-1])]

    def add_pullback(self, weights: Weights, q: Tensor) -> Weights:
        """Return ``weights + J^T q`` for q of shape (members, n)."""
        q = q.unsqueeze(-1)
        hidden = [
            torch.baddbmm(w, (d * q).mT, a) for w, d, a in zip(weights[1:], self.deltas[1:], self.inputs, strict=False)
        ]
        first = self.first.add_pullback(weights[0], self.deltas[0] * q)
        return [first, *hidden, torch.baddbmm(weights[-1], q.mT, self.inputs[-1])]

    def pushforward(self, v: Weights) -> Tensor:
        """Return ``J v``, shape (members, n), for v a set of stacked weights."""
        total = torch.bmm(self.inputs[-1], v[-1].mT).squeeze(-1)
        total += self.first.pushforward(v[0]).mul_(self.deltas[0]).sum(dim=-1)
        for d, a, part in zip(self.deltas[1:], self.inputs, v[1:], strict=False):
            total += torch.bmm(a, part.mT).mul_(d).sum(dim=-1)
        return total


class FullyConnected:
    """``depth`` hidden layers of ``width`` neurons between ``input_dim`` inputs and one output."""

    def __init__(self, input_dim: int, width: int, depth: int, activation: Activation) -> None:
        self.input_dim = input_dim
        self.width = width
        self.depth = depth
        self.activation = compile_activation(activation, 1.0 / math.sqrt(width))
        self.shapes = [(width, input_dim)] + [(width, width)] * (depth - 1) + [(1, width)]

    def initial_weights(self, base_seed: int, seeds: Sequence[int]) -> Weights:
        """Draw N(0, 1) weights in float64 on the CPU, stacked over ``seeds``.

        A network's weights depend on (base_seed, architecture, depth, width, input dimension, seed) only, and so not
        on alpha, the activation or the loss: trajectories at different alpha are paired. (The published runs hashed
        alpha into the seed.)
        """
        drawn = [self._draw(base_seed, seed) for seed in seeds]
        return [torch.stack(layer) for layer in zip(*drawn, strict=True)]

    def _draw(self, base_seed: int, seed: int) -> Weights:
        key = f"{base_seed}/fc/{self.depth}/{self.width}/{self.input_dim}/{seed}"
        generator = torch.Generator()
        generator.manual_seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little", signed=True))
        return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in self.shapes]

    def linearise(self, weights: Weights, inputs: Tensor | FirstLayer) -> Linearisation:
        """Evaluate and differentiate the networks on ``inputs``: x of shape (n, input_dim), or a `FirstLayer`."""
        first = _first_layer(inputs)
        a, slope = self.activation.value_and_slope(first.preactivation(weights[0]))
        activations, slopes = [a], [slope]  # slopes: sigma'(z^l) / sqrt(width)
        for w in weights[1:-1]:
            a, slope = self.activation.value_and_slope(torch.bmm(a, w.mT))
            activations.append(a)
            slopes.append(slope)
        output = torch.bmm(a, weights[-1].mT).squeeze(-1)

        deltas = [slopes[-1].mul_(weights[-1])]
        for w, slope in zip(reversed(weights[1:-1]), reversed(slopes[:-1]), strict=True):
            deltas.append(torch.bmm(deltas[-1], w).mul_(slope))
        return Linearisation(first, activations, output, deltas[::-1])

    def output(self, weights: Weights, inputs: Tensor | FirstLayer) -> Tensor:
        """Return f on ``inputs``, shape (members, n), without keeping what derivatives need."""
        a = self.activation.value(_first_layer(inputs).preactivation(weights[0]))
        for w in weights[1:-1]:
            a = self.activation.value(torch.bmm(a, w.mT))
        return torch.bmm(a, weights[-1].mT).squeeze(-1)


def _square_norms(rows: Tensor) -> Tensor:
    return torch.linalg.vector_norm(rows, dim=-1).square()


def _first_layer(inputs: Tensor | FirstLayer) -> FirstLayer:
    return Dense.of(inputs) if isinstance(inputs, Tensor) else inputs
