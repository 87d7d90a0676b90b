"""Stacked fully connected networks: forward, backward, tangent kernel and Jacobian products, layer by layer.

Article convention (arXiv:1906.08034): a^l = x^l / sqrt(fan-in), z^l = a^l W_l^T, x^{l+1} = sigma(z^l), f = z^L. A batch
holds ``members`` networks; weights are ``depth + 1`` tensors of shape (members, n_out, n_in).

A bias B·b is a further column b of W_l, zero at the start, whose input a^l is B for every point. The published code
divides its output by h but not the output's bias, and its f is f/sqrt(h) in the article's convention: there the bias of
the output is sqrt(h)·B·b.

The Jacobian J = df/dw is never formed. Its part of weight matrix l at datum i is the outer product
delta^l_i a^l_i^T with delta^l = df/dz^l, so that (with q a vector over data, v one over weights)

    J^T q  = sum_i q_i delta^l_i a^l_i^T,    (J v)_i = sum_l delta^l_i · (v_l a^l_i),
    Theta  = sum_l (a^l a^l^T) * (delta^l delta^l^T)      (elementwise product of two Gram matrices).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import pad

from simulate.networks.architecture import Architecture
from simulate.networks.costs import NetworkSize, OperationCounts
from simulate.networks.first_layer import Dense, FirstLayer, first_layers
from simulate.networks.linearisation import Inputs, Linearisation, Weights
from simulate.networks.torch_activation import compile_activation
from theory.activation import Activation

# points on a tile's side: on a CPU a few such Gram matrices stay in a core's cache. Up to _SMALL_SET points, smaller
# tiles save more by symmetry than they cost
_CPU_TILE, _CPU_TILE_OF_SMALL_SET, _SMALL_SET, _GPU_TILE = 256, 170, 1024, 2048


@dataclass
class Layerwise(Linearisation):
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

    def select(self, index: Tensor) -> Layerwise:
        """See `Linearisation`."""
        # of the first layer only products with the Jacobian are taken, and these are the same for all members
        return Layerwise(
            self.first,
            [a[index] for a in self.inputs],
            self.output[index],
            [d[index] for d in self.deltas],
        )

    def put(self, index: Tensor, other: Layerwise) -> None:
        """See `Linearisation`."""
        for tensor, replacement in zip(self._tensors(), other._tensors(), strict=True):
            tensor[index] = replacement

    def select_points(self, rows: slice) -> Layerwise:
        """See `Linearisation`."""
        return Layerwise(
            self.first.subrange(rows),
            [a[:, rows] for a in self.inputs],
            self.output[:, rows],
            [d[:, rows] for d in self.deltas],
        )

    @property
    def tile_size(self) -> int:
        """See `Linearisation`."""
        if self.output.device.type != "cpu":
            return _GPU_TILE
        return min(_CPU_TILE, _CPU_TILE_OF_SMALL_SET) if self.output.shape[1] <= _SMALL_SET else _CPU_TILE

    def kernel_parts(self, other: Layerwise | None = None) -> Iterator[Tensor]:
        """See `Linearisation`."""
        other = self if other is None else other
        # inputs are shared: one Gram matrix for all members
        yield torch.bmm(self.deltas[0], other.deltas[0].mT).mul_(self.first.inner(other.first))
        for layer, (a, b) in enumerate(zip(self.inputs, other.inputs, strict=True), 1):
            part = torch.bmm(a, b.mT)
            if layer < len(self.deltas):
                part = torch.bmm(self.deltas[layer], other.deltas[layer].mT).mul_(part)
            yield part

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


class FullyConnected(Architecture):
    """``depth`` hidden layers of ``width`` neurons between the inputs and one output, with the forms above."""

    name = "fc"
    biased = True
    known_to_theory = True
    better_regime_on_images = "lazy"
    better_regime_of_few_directions = "feature"
    first_layer_in_span = True
    stacked_products = True
    stiff = False

    def __init__(
        self, input_shape: int | tuple[int, ...], width: int, depth: int, activation: Activation, bias: float = 0.0
    ) -> None:
        super().__init__(input_shape, width, depth, activation, bias)
        # sigma(z)/sqrt(width): with the factor inside, one pass over the tensor less
        self._scaled_activation = compile_activation(activation, 1.0 / math.sqrt(width))

    def weight_shapes(self) -> Sequence[tuple[int, int]]:
        """See `Architecture`."""
        fan_in = [self.input_dim, *[self.width] * self.depth]
        rows = [*[self.width] * self.depth, 1]
        return [(r, c + (self.bias > 0)) for r, c in zip(rows, fan_in, strict=True)]

    @property
    def size(self) -> NetworkSize:
        """See `Architecture`: an input and a delta for every hidden neuron."""
        return NetworkSize(self._weight_count(), 2 * self.depth * self.width)

    def operation_counts(self, n: int) -> OperationCounts:
        """See `Architecture`: the first layer in the coordinates with fewer operations, two Gram matrices a layer."""
        hidden = (self.depth - 1) * self.width**2
        first = min(4.0 * n * self.input_dim, 2.0 * n**2) * self.width
        gradient = 6.0 * n * hidden + 6.0 * n * self.width + first
        kernel = 4.0 * self.depth * n**2 * self.width
        weights = min(self.input_dim, n) * self.width + hidden
        return OperationCounts(gradient, kernel, float(self.depth * n * self.width), float(weights))

    def forward(self, weights: Weights, x: Tensor) -> Tensor:
        """See `Architecture`: plain products and `sigma`, which the layerwise forms are tested against."""
        a = x
        for number, w in enumerate(weights):
            a = a / math.sqrt(self.width if number else self.input_dim)
            if self.bias:
                a = pad(a, (0, 1), value=self._bias_input(number))
            z = a @ w.mT
            a = self.sigma(z) if number < self.depth else z
        return a.squeeze(-1)

    def coordinates(
        self, weights: Weights, x_train: Tensor, x_test: Tensor, *, dense: bool = False
    ) -> tuple[Weights, Inputs, Inputs]:
        """See `Architecture`: the span of the training inputs where it is smaller than the input space."""
        return first_layers(weights, x_train, x_test, self.bias, dense=dense)

    def preactivation_velocity(self, weights: Weights, rates: Weights, inputs: Inputs) -> Tensor:
        """See `Architecture`."""
        first = self._first_layer(inputs)
        z, dz = first.preactivation(weights[0]), first.pushforward(rates[0])
        speeds = [dz.square().mean(dim=(-2, -1)).sqrt()]
        for layer, (w, v) in enumerate(zip(weights[1:], rates[1:], strict=True)):
            a, slope = self._scaled_activation.value_and_slope(z)
            extended = self._extended(a, layer)
            change = pad(slope.mul_(dz), (0, extended.shape[-1] - a.shape[-1]))  # the input of a bias is constant
            z, dz = torch.bmm(extended, w.mT), torch.bmm(extended, v.mT).add_(torch.bmm(change, w.mT))
            speeds.append(dz.square().mean(dim=(-2, -1)).sqrt())
        return torch.stack(speeds, dim=-1)

    def linearise(self, weights: Weights, inputs: Tensor | Inputs) -> Layerwise:
        """Evaluate and differentiate the networks on ``inputs``: x of shape (n, input_dim), or a `FirstLayer`."""
        first = self._first_layer(inputs)
        a, slope = self._scaled_activation.value_and_slope(first.preactivation(weights[0]))
        activations, slopes = [self._extended(a, 0)], [slope]  # slopes: sigma'(z^l) / sqrt(width)
        for layer, w in enumerate(weights[1:-1], 1):
            a, slope = self._scaled_activation.value_and_slope(torch.bmm(activations[-1], w.mT))
            activations.append(self._extended(a, layer))
            slopes.append(slope)
        output = torch.bmm(activations[-1], weights[-1].mT).squeeze(-1)

        deltas = [slopes[-1].mul_(self._without_bias(weights[-1]))]
        for w, slope in zip(reversed(weights[1:-1]), reversed(slopes[:-1]), strict=True):
            deltas.append(torch.bmm(deltas[-1], self._without_bias(w)).mul_(slope))
        return Layerwise(first, activations, output, deltas[::-1])

    def output(self, weights: Weights, inputs: Tensor | Inputs) -> Tensor:
        """Return f on ``inputs``, shape (members, n), without keeping what derivatives need."""
        a = self._scaled_activation.value(self._first_layer(inputs).preactivation(weights[0]))
        for layer, w in enumerate(weights[1:]):
            z = torch.bmm(self._extended(a, layer), w.mT)
            a = z if layer == self.depth - 1 else self._scaled_activation.value(z)
        return a.squeeze(-1)

    def _first_layer(self, inputs: Tensor | Inputs) -> FirstLayer:
        return Dense.on_inputs(inputs, self.bias) if isinstance(inputs, Tensor) else cast(FirstLayer, inputs)

    def _extended(self, a: Tensor, layer: int) -> Tensor:
        """Append to the activations of hidden layer ``layer`` the input of the next matrix's bias, if there is one."""
        return pad(a, (0, 1), value=self._bias_input(layer + 1)) if self.bias else a

    def _bias_input(self, number: int) -> float:
        """What the bias of weight matrix ``number`` is multiplied by."""
        return self.bias * (math.sqrt(self.width) if number == self.depth else 1.0)

    def _without_bias(self, w: Tensor) -> Tensor:
        return w[..., :-1] if self.bias else w


def _square_norms(rows: Tensor) -> Tensor:
    return torch.linalg.vector_norm(rows, dim=-1).square()
