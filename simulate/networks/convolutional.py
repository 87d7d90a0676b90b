r"""The convolutional network of arXiv:1906.08034.

``depth`` convolutions with 5×5 filters, padding 1, ``width`` channels and stride 2 in every second one, the first
included (the published runs have depth 4: two blocks of two); the mean over all positions; a linear last layer.
Preactivations are divided by sqrt(fan-in) = sqrt(25·channels), the output by sqrt(h): article convention. It is
linearised layer by layer (`simulate.networks.layerwise_convolutional`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from lazyrich.errors import InputError
from simulate.networks.architecture import Architecture
from simulate.networks.convolution import FILTER, PADDING, convolutions, largest_depth, with_padding
from simulate.networks.costs import NetworkSize
from simulate.networks.layerwise_convolutional import LayerwiseConvolutional
from simulate.networks.linearisation import Inputs, Points, Weights
from simulate.networks.torch_activation import compile_activation
from theory.activation import Activation

_KEPT_BYTES = 2**25  # of the images' patches, which stay the same


@dataclass
class Images(Points):
    """Images that all members share, ``a`` (n, d); ``first`` is what the first convolution reads of them.

    That is the padded images over sqrt(fan-in) or, where they take little memory, their patches
    (`LayerwiseConvolutional.inputs`).
    """

    first: Tensor

    def select_points(self, rows: slice | Tensor) -> Images:
        """See `Inputs`."""
        return Images(self.a[rows], self.first[:, rows])


class Convolutional(Architecture):
    """``depth`` convolutions of ``width`` channels, the mean over positions, and one output."""

    name = "cnn"
    images = True
    biased = True
    better_regime_on_images = "feature"

    def __init__(
        self, input_shape: int | tuple[int, ...], width: int, depth: int, activation: Activation, bias: float = 0.0
    ) -> None:
        assert isinstance(input_shape, tuple)
        self.convolutions = convolutions(input_shape, width, depth, bias)
        super().__init__(input_shape, width, depth, activation, bias)
        # sigma(z) is used over sqrt(fan-in) only
        self._scaled_activation = compile_activation(activation, 1.0 / math.sqrt(FILTER**2 * width))

    @classmethod
    def check(cls, input_shape: tuple[int, ...], depth: int) -> None:
        """See `Architecture`: an image must be large enough for every filter."""
        super().check(input_shape, depth)
        largest = largest_depth(input_shape)
        if depth > largest:
            size = f"{input_shape[0]}x{input_shape[1]}"
            problem = f"an image of {size} is smaller than a {FILTER}x{FILTER} filter after {largest} convolutions"
            raise InputError("depth", depth, problem, f"Use depth <= {largest}" if largest else "Use larger images")

    @classmethod
    def multiplications(cls, input_shape: tuple[int, ...], width: int, depth: int) -> float:
        """Each filter at each of its positions, and the last layer."""
        return float(sum(c.positions * c.columns * width for c in convolutions(input_shape, width, depth, 0.0)) + width)

    def weight_shapes(self) -> Sequence[tuple[int, ...]]:
        """See `Architecture`; a row's columns are the filter's rows, its columns, the channels, in this order."""
        return [*((self.width, layer.columns) for layer in self.convolutions), (1, self.width + (self.bias > 0))]

    @property
    def size(self) -> NetworkSize:
        """See `Architecture`: an input and a delta for every channel and position."""
        positions = sum(layer.positions for layer in self.convolutions)
        return NetworkSize(self._weight_count(), 2 * positions * self.width)

    def forward(self, weights: Weights, x: Tensor) -> Tensor:
        """See `Architecture`: the network by torch's own convolution, which the layerwise forms are tested against."""
        return torch.stack([self._forward_of_one(member, x) for member in zip(*weights, strict=True)])

    def _forward_of_one(self, weights: Sequence[Tensor], x: Tensor) -> Tensor:
        """f of one member, shape (n,)."""
        a = x.permute(0, 3, 1, 2)
        for layer, w in zip(self.convolutions, weights, strict=False):
            z = conv2d(a, layer.filters(w), None, layer.stride, PADDING) / math.sqrt(FILTER**2 * layer.channels)
            a = self.sigma(z + self.bias * w[:, -1:, None] if self.bias else z)
        last = weights[-1][0]
        f = a.mean((2, 3)) @ last[: self.width] / math.sqrt(self.width)
        return f + math.sqrt(self.width) * self.bias * last[-1] if self.bias else f

    def coordinates(
        self, weights: Weights, x_train: Tensor, x_test: Tensor, *, dense: bool = False
    ) -> tuple[Weights, Inputs, Inputs]:
        """See `Architecture`: the weights are their own coordinates."""
        return weights, self._as_read(x_train), self._as_read(x_test)

    def _as_read(self, x: Tensor) -> Images:
        """Points (n, d) as the first convolution reads them fastest."""
        images, layer = self._padded_images(x), self.convolutions[0]
        patch_bytes = len(x) * layer.positions * layer.columns * x.element_size()
        keep_patches = patch_bytes <= _KEPT_BYTES and not layer.uses_torch(x)
        return Images(x, layer.patches(images) if keep_patches else images)

    def linearise(self, weights: Weights, inputs: Tensor | Inputs) -> LayerwiseConvolutional:
        """Evaluate and differentiate the networks on ``inputs``: x of shape (n, input_dim), or `Points`."""
        images, activations, slopes = self._images(inputs), [], []
        for layer, w in zip(self.convolutions, weights, strict=False):
            activations.append(images)
            a, slope = self._scaled_activation.value_and_slope(layer.convolve(images, w))
            slopes.append(slope)  # sigma'(z^l) / sqrt(25·width)
            images = with_padding(a.unflatten(2, (layer.out_height, layer.out_width)))
        pooled = self._pooled(a)
        output = torch.bmm(pooled, weights[-1].mT).squeeze(-1)

        last = weights[-1][..., : self.width].unsqueeze(1)
        deltas = [slopes[-1].mul_(last * (FILTER / self.convolutions[-1].positions))]
        for layer, w, slope in zip(self.convolutions[:0:-1], weights[-2:0:-1], reversed(slopes[:-1]), strict=True):
            deltas.append(slope.mul_(layer.input_gradient(deltas[-1], w).flatten(2, 3)))
        return LayerwiseConvolutional(self.convolutions, activations, pooled, output, deltas[::-1])

    def output(self, weights: Weights, inputs: Tensor | Inputs) -> Tensor:
        """See `Architecture`."""
        images = self._images(inputs)
        for layer, w in zip(self.convolutions, weights, strict=False):
            a = self._scaled_activation.value(layer.convolve(images, w))
            images = with_padding(a.unflatten(2, (layer.out_height, layer.out_width)))
        return torch.bmm(self._pooled(a), weights[-1].mT).squeeze(-1)

    def _images(self, inputs: Tensor | Inputs) -> Tensor:
        """What the first convolution reads of ``inputs``."""
        if isinstance(inputs, Images):
            return inputs.first
        return self._padded_images(inputs if isinstance(inputs, Tensor) else inputs.a)

    def _padded_images(self, x: Tensor) -> Tensor:
        """The images over sqrt(fan-in), (1, n, height + 2, width + 2, channels)."""
        return with_padding(x.reshape(1, -1, *self.input_shape) / math.sqrt(FILTER**2 * self.input_shape[2]))

    def _pooled(self, a: Tensor) -> Tensor:
        """The last layer's inputs: the mean over positions of sigma/sqrt(h); ``a`` is sigma/(5 sqrt(h))."""
        pooled = FILTER * a.mean(2)
        return pad(pooled, (0, 1), value=self.bias * math.sqrt(self.width)) if self.bias else pooled
