r"""The wide residual network of arXiv:1906.08034 (28 layers), as its published code has it.

A 3×3 convolution to 16 channels; three stages of (depth - 4)/6 blocks each, with ``width``, 2 ``width`` and 4 ``width``
channels, the later two of which halve the image; sigma, the mean over positions, a linear layer. (The published
widening factor k is width/16.) A block mixes the stream x with two convolutions by an angle of 45°,

    x -> cos(a)·x + sin(a)·W' sigma(W sigma(x)),

without batch normalisation; where the number of channels or the size of the image changes, which is in each stage's
first block, a 1×1 convolution of x stands for x. (With k = 1 the published first stage has none, here it has one.) All
convolutions are divided by sqrt(fan-in), the output by sqrt(4 width): article convention. Since cos² + sin² = 1, blocks
keep the stream's variance, but for the zeros around small images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from lazyrich.errors import InputError
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Weights

FIRST_CHANNELS = 16
STAGES = 3


@dataclass(frozen=True)
class _Filters:
    """The shapes of one convolution: ``size`` × ``size`` filters from ``channels`` to ``out_channels``."""

    channels: int
    out_channels: int
    size: int
    stride: int = 1

    @property
    def fan_in(self) -> int:
        return self.channels * self.size**2


@dataclass(frozen=True)
class _Block:
    first: _Filters
    second: _Filters
    shortcut: _Filters | None

    def filters(self) -> Iterator[_Filters]:
        yield from (self.first, self.second)
        if self.shortcut is not None:
            yield self.shortcut


def _blocks(width: int, depth: int) -> list[_Block]:
    blocks, channels = [], FIRST_CHANNELS
    for stage in range(STAGES):
        for number in range((depth - 4) // 6):
            out_channels, stride = width * 2**stage, 2 if stage and not number else 1
            shortcut = None if number else _Filters(channels, out_channels, 1, stride)
            first, second = _Filters(channels, out_channels, 3), _Filters(out_channels, out_channels, 3, stride)
            blocks.append(_Block(first, second, shortcut))
            channels = out_channels
    return blocks


class WideResidual(Architecture):
    """Residual convolutional networks of ``depth`` = 6n + 4 layers in three stages, the first of ``width`` channels."""

    name = "wide_resnet"
    layers_in_sequence = False
    images = True
    biased = True
    mixing_angle: ClassVar[float] = math.pi / 4

    @classmethod
    def check(cls, input_shape: tuple[int, ...], depth: int) -> None:
        """See `Architecture`: three stages have as many blocks each."""
        super().check(input_shape, depth)
        if depth % 6 != 4 or depth < 10:
            problem = "three stages of n blocks have 6n + 4 layers"
            raise InputError("depth", depth, problem, "Use depth 10, 16, 22 or 28 (the published one)")

    @classmethod
    def multiplications(cls, input_shape: tuple[int, ...], width: int, depth: int) -> float:
        """Each filter at each of its positions, and the last layer."""
        convolutions = cls._positions(input_shape, width, depth)
        return float(sum(p * f.fan_in * f.out_channels for f, p in convolutions) + 4 * width)

    @classmethod
    def activations(cls, input_shape: tuple[int, ...], width: int, depth: int) -> float:
        """See `Architecture`: the entries of all patches."""
        return float(sum(p * f.fan_in for f, p in cls._positions(input_shape, width, depth)))

    @classmethod
    def _positions(cls, input_shape: tuple[int, ...], width: int, depth: int) -> Iterator[tuple[_Filters, int]]:
        """Yield the convolutions and at how many positions of an image each has its filters."""
        height, image_width, channels = input_shape
        yield _Filters(channels, FIRST_CHANNELS, 3), height * image_width
        for block in _blocks(width, depth):
            yield block.first, height * image_width
            height, image_width = (-(-side // block.second.stride) for side in (height, image_width))
            for filters in list(block.filters())[1:]:
                yield filters, height * image_width

    def weight_shapes(self) -> Sequence[tuple[int, int]]:
        """See `Architecture`; a row is one filter: its channels, their rows and columns, and with a bias one more."""
        first = _Filters(self.input_shape[2], FIRST_CHANNELS, 3)
        convolutions = [first, *(f for block in _blocks(self.width, self.depth) for f in block.filters())]
        b = int(self.bias > 0)
        return [*((f.out_channels, f.fan_in + b) for f in convolutions), (1, 4 * self.width + b)]

    def forward(self, weights: Weights, x: Tensor) -> Tensor:
        """See `Architecture`."""
        return torch.stack([self._forward_of_one(member, x) for member in zip(*weights, strict=True)])

    def _forward_of_one(self, weights: Sequence[Tensor], x: Tensor) -> Tensor:
        """f of one member, shape (n,)."""
        remaining = iter(weights)
        first = _Filters(self.input_shape[2], FIRST_CHANNELS, 3)
        stream = self._convolved(first, next(remaining), x.permute(0, 3, 1, 2))
        cos, sin = math.cos(self.mixing_angle), math.sin(self.mixing_angle)
        for block in _blocks(self.width, self.depth):
            branch = self._convolved(block.first, next(remaining), self.sigma(stream))
            branch = self._convolved(block.second, next(remaining), self.sigma(branch))
            if block.shortcut is not None:
                stream = self._convolved(block.shortcut, next(remaining), stream)
            stream = cos * stream + sin * branch
        last, fan_in = next(remaining)[0], 4 * self.width
        f = self.sigma(stream).mean((2, 3)) @ last[:fan_in] / math.sqrt(fan_in)
        return f + math.sqrt(fan_in) * self.bias * last[-1] if self.bias else f

    def _convolved(self, filters: _Filters, w: Tensor, a: Tensor) -> Tensor:
        """Convolve images (n, channels, height, width) with the filters w (rows, columns), over sqrt(fan-in)."""
        shaped = w[:, : filters.fan_in].unflatten(1, (filters.channels, filters.size, filters.size))
        z = conv2d(a, shaped, None, filters.stride, filters.size // 2) / math.sqrt(filters.fan_in)
        return z + self.bias * w[:, -1:, None] if self.bias else z
