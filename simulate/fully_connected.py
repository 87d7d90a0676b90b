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
from theory import Activation

Weights = list[Tensor]


@dataclass
class Linearisation:
    """Networks linearised at their weights, on one set of ``n`` inputs.

    Attributes
    ----------
    inputs : list of Tensor
        a^l for l = 0..depth, shapes (members, n, fan_in); a^0 is shared by all members (a view without copies).
    slopes : list of Tensor
        sigma'(z^l) / sqrt(width) for l = 0..depth-1, shapes (members, n, width).
    output : Tensor
        f, shape (members, n).
    deltas : list of Tensor
        df/dz^l for l = 0..depth-1, shapes (members, n, width); df/dz^L = 1 is not stored. Empty before ``backward``.
    """

    inputs: list[Tensor]
    slopes: list[Tensor]
    output: Tensor
    deltas: list[Tensor]

    def _tensors(self) -> list[Tensor]:
        return [*self.inputs[1:], *self.slopes, self.output, *self.deltas]

    def select(self, index: Tensor) -> Linearisation:
        """Return the members named by ``index``."""
        return Linearisation(
            inputs=[a[: len(index)] if layer == 0 else a[index] for layer, a in enumerate(self.inputs)],
            slopes=[s[index] for s in self.slopes],
            output=self.output[index],
            deltas=[d[index] for d in self.deltas],
        )

    def put(self, index: Tensor, other: Linearisation) -> None:
        """Overwrite the members named by ``index`` with the same members of ``other``."""
        for mine, theirs in zip(self._tensors(), other._tensors(), strict=True):
            mine[index] = theirs[index]


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

    def forward(self, weights: Weights, x: Tensor) -> Linearisation:
        """Evaluate the networks on ``x`` of shape (n, input_dim)."""
        members = weights[0].shape[0]
        a = (x / math.sqrt(self.input_dim)).expand(members, *x.shape)
        inputs, slopes = [a], []
        for w in weights[:-1]:
            a, slope = self.activation.value_and_slope(torch.bmm(a, w.mT))
            inputs.append(a)
            slopes.append(slope)
        return Linearisation(inputs, slopes, torch.bmm(a, weights[-1].mT).squeeze(-1), [])

    def output(self, weights: Weights, x: Tensor) -> Tensor:
        """Return f on ``x``, shape (members, n), without keeping what a backward pass needs."""
        a = (x / math.sqrt(self.input_dim)).expand(weights[0].shape[0], *x.shape)
        for w in weights[:-1]:
            a = self.activation.value(torch.bmm(a, w.mT))
        return torch.bmm(a, weights[-1].mT).squeeze(-1)

    def backward(self, weights: Weights, at: Linearisation) -> Linearisation:
        """Fill ``at.deltas`` (in place) and return ``at``."""
        deltas = [weights[-1] * at.slopes[-1]]
        for w, slope in zip(reversed(weights[1:-1]), reversed(at.slopes[:-1]), strict=True):
            deltas.append(torch.bmm(deltas[-1], w).mul_(slope))
        at.deltas = deltas[::-1]
        return at

    def linearise(self, weights: Weights, x: Tensor) -> Linearisation:
        """Forward and backward."""
        return self.backward(weights, self.forward(weights, x))


def kernel_layers(at: Linearisation, other: Linearisation | None = None) -> list[Tensor]:
    """Return the summands Theta^l, l = 0..depth, of the tangent kernel, each (members, n, n_other)."""
    other = at if other is None else other
    parts = []
    for layer, (a, b) in enumerate(zip(at.inputs, other.inputs, strict=True)):
        # inputs are shared: one Gram matrix for all members
        part = (a[0] @ b[0].mT).expand(a.shape[0], -1, -1) if layer == 0 else torch.bmm(a, b.mT)
        if layer < len(at.deltas):
            part = torch.bmm(at.deltas[layer], other.deltas[layer].mT).mul_(part)
        parts.append(part)
    return parts


def kernel(at: Linearisation) -> Tensor:
    """Return the tangent kernel Theta = J J^T, shape (members, n, n); article convention, without alpha²."""
    parts = kernel_layers(at)
    total = parts.pop()
    for part in parts:
        total += part
    return total


def add_pullback(weights: Weights, at: Linearisation, q: Tensor) -> Weights:
    """Return ``weights + J^T q`` for q of shape (members, n)."""
    q = q.unsqueeze(-1)
    pulled = [torch.baddbmm(w, (d * q).mT, a) for w, d, a in zip(weights, at.deltas, at.inputs, strict=False)]
    return [*pulled, torch.baddbmm(weights[-1], q.mT, at.inputs[-1])]


def pullback(at: Linearisation, q: Tensor) -> Weights:
    """Return ``J^T q``, a set of stacked weights, for q of shape (members, n)."""
    q = q.unsqueeze(-1)
    pulled = [torch.bmm((d * q).mT, a) for d, a in zip(at.deltas, at.inputs, strict=False)]
    return [*pulled, torch.bmm(q.mT, at.inputs[-1])]


def pushforward(at: Linearisation, v: Weights) -> Tensor:
    """Return ``J v``, shape (members, n), for v a set of stacked weights."""
    total = torch.bmm(at.inputs[-1], v[-1].mT).squeeze(-1)
    for d, a, part in zip(at.deltas, at.inputs, v, strict=False):
        total += torch.bmm(a, part.mT).mul_(d).sum(dim=-1)
    return total
