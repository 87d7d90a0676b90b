r"""Stacked convolutional networks, layer by layer, as `simulate.networks.fully_connected` for dense ones.

The network of arXiv:1906.08034: ``depth`` convolutions with 5×5 filters, padding 1, ``width`` channels and stride 2 in
every second one, the first included (the published runs have depth 4: two blocks of two); the mean over all positions;
a linear last layer. Preactivations are divided by sqrt(fan-in) = sqrt(25·channels), the output by sqrt(h): article
convention. Images and activations have their channels last, and are kept with their padding: (members, n, height + 2,
width + 2, channels).

At position p of datum i a layer's input is the patch u_ip of K = 25·channels numbers (with a bias one more, the same
everywhere), and z_ip = W u_ip. With delta_ip = df/dz_ip a gradient is G_i = sum_p delta_ip u_ip^T, and a layer's kernel

    Theta_ij = <G_i, G_j> = sum_pp' (u_ip · u_jp') (delta_ip · delta_jp'),

read from left to right costs 2hK operations a pair of points, read from the right 2(K + h) for each pair of positions:
`kernel_parts` takes the cheaper by count. Gradients are not kept, and patches only those of the images where they are
few: the others are made block by block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import grad
from torch.nn.functional import conv2d, pad

from lazyrich.errors import InputError
from simulate.networks.architecture import Architecture
from simulate.networks.costs import NetworkSize
from simulate.networks.linearisation import Inputs, Linearisation, Points, Weights
from simulate.networks.torch_activation import compile_activation
from theory.activation import Activation

FILTER, PADDING, STRIDE = 5, 1, 2

_TILE = 512
_CPU_BLOCK_BYTES, _GPU_BLOCK_BYTES = 2**22, 2**28  # of patches made at once: on a CPU they stay in a core's cache
_ROWS = 64  # of a symmetric kernel, which is made from these rows' diagonal on
_PRODUCTS = 1024  # rows and columns of patch products made at once
_GRADIENT_BYTES = 2**25  # of gradients of single points
_KEPT_BYTES = 2**25  # of the images' patches, which stay the same


@dataclass(frozen=True)
class Layer:
    """The geometry of one convolution, and what follows from it. ``bias`` is a patch's last entry, if any."""

    height: int
    width: int
    channels: int
    stride: int
    bias: float

    @property
    def out_height(self) -> int:
        """Positions of the filter from top to bottom."""
        return (self.height + 2 * PADDING - FILTER) // self.stride + 1

    @property
    def out_width(self) -> int:
        """Positions of the filter from left to right."""
        return (self.width + 2 * PADDING - FILTER) // self.stride + 1

    @property
    def positions(self) -> int:
        """P."""
        return self.out_height * self.out_width

    @property
    def columns(self) -> int:
        """K, a bias included."""
        return FILTER**2 * self.channels + (self.bias > 0)

    def patches(self, a: Tensor) -> Tensor:
        """Return u, shape (members, n, P, K), for padded inputs ``a`` (members, n, ...), or for u itself."""
        if a.dim() == 4:
            return a
        member, point, row, column, _ = a.stride()
        shape = (*a.shape[:2], self.out_height, self.out_width, FILTER, FILTER * self.channels)
        # a filter's row is one run in memory, since channels come last
        windows = a.as_strided(shape, (member, point, self.stride * row, self.stride * column, row, 1))
        u = windows.reshape(*a.shape[:2], self.positions, FILTER**2 * self.channels)
        return pad(u, (0, 1), value=self.bias) if self.bias else u

    def convolve(self, a: Tensor, w: Tensor) -> Tensor:
        """Return z = W u, shape (members, n, P, h). ``a`` may have one member for all."""
        z = w.new_empty(len(w), a.shape[1], self.positions, w.shape[1])
        if self.by_torch(a):
            for k, filters in enumerate(w):
                z[k] = self._flat(conv2d(self._image(a, k), self.filters(filters), None, self.stride))
            return z
        for members, points in self.blocks(a, len(w)):
            u = self.rows(a, members, points, len(w))
            z[members, points] = torch.bmm(u, w[members].mT).view(z[members, points].shape)
        return z

    def pullback(self, a: Tensor, dz: Tensor) -> Tensor:
        """Return sum over points and positions of dz u^T, shape (members, h, K)."""
        g = dz.new_zeros(len(dz), dz.shape[-1], self.columns)
        if self.by_torch(a):
            shape = (dz.shape[-1], self.channels, FILTER, FILTER)
            for k, own in enumerate(dz):
                filters = grad.conv2d_weight(self._image(a, k), shape, self._unflat(own), self.stride)
                g[k] = filters.permute(0, 2, 3, 1).flatten(1)
            return g
        for members, points in self.blocks(a, len(dz)):
            rows = dz[members, points].flatten(1, 2)
            g[members].baddbmm_(rows.mT, self.rows(a, members, points, len(dz)))
        return g

    def back(self, dz: Tensor, w: Tensor) -> Tensor:
        """Return the gradient by the inputs (members, n, height, width, channels), given the one by z."""
        found = dz.new_empty(*dz.shape[:2], self.height, self.width, self.channels)
        shape = (dz.shape[1], self.channels, self.height, self.width)
        for k, filters in enumerate(w):
            images = grad.conv2d_input(shape, self.filters(filters), self._unflat(dz[k]), self.stride, PADDING)
            found[k] = images.permute(0, 2, 3, 1)
        return found

    def by_torch(self, a: Tensor) -> bool:
        """Whether torch's convolution takes less time than the product with patches: oneDNN has no float64."""
        return a.dtype == torch.float32 and not self.bias

    def _image(self, a: Tensor, member: int) -> Tensor:
        """The images of a member, channels first as torch has them."""
        return a[member if len(a) > 1 else 0].permute(0, 3, 1, 2)

    def filters(self, w: Tensor) -> Tensor:
        """The filters of a member, (h, channels, 5, 5), given its W."""
        return w[:, : FILTER**2 * self.channels].view(-1, FILTER, FILTER, self.channels).permute(0, 3, 1, 2)

    def _flat(self, z: Tensor) -> Tensor:
        return z.permute(0, 2, 3, 1).flatten(1, 2)

    def _unflat(self, dz: Tensor) -> Tensor:
        return dz.unflatten(1, (self.out_height, self.out_width)).permute(0, 3, 1, 2)

    def blocks(self, a: Tensor, members: int) -> Iterator[tuple[slice, slice]]:
        """Yield members and points whose patches are made at once; a member's do not depend on the others."""
        n, limit = a.shape[1], _block_bytes(a)
        each = self.positions * self.columns * a.element_size()
        return _blocks(members, max(1, limit // (each * n)), n, max(1, limit // each))

    def rows(self, a: Tensor, members: slice, points: slice, count: int) -> Tensor:
        """Return patches of a block as rows, (members, n·P, K); of inputs that all members share they are made once."""
        if len(a) == count:
            return self.patches(a[members, points]).flatten(1, 2)
        u = self.patches(a[:, points]).flatten(1, 2)
        return u.expand(len(range(*members.indices(count))), -1, -1)


@dataclass
class Images(Points):
    """Images that all members share; ``first`` is what the first convolution reads (see `LayerwiseConvolutional`)."""

    first: Tensor

    def select_points(self, rows: slice | Tensor) -> Images:
        """See `Inputs`."""
        return Images(self.a[rows], self.first[:, rows])


@dataclass
class LayerwiseConvolutional(Linearisation):
    """Networks linearised at their weights, on one set of ``n`` images.

    Attributes
    ----------
    layers : list of Layer
        The convolutions.
    inputs : list of Tensor
        What each sees, over sqrt(fan-in), with padding: (members, n, height + 2, width + 2, channels); of the images
        one member for all, or their patches (1, n, P, K).
    pooled : Tensor
        Inputs of the last, linear layer, shape (members, n, h), over sqrt(h).
    output : Tensor
        f, shape (members, n).
    deltas : list of Tensor
        df/dz^l of each convolution, shape (members, n, P, h).
    """

    layers: list[Layer]
    inputs: list[Tensor]
    pooled: Tensor
    output: Tensor
    deltas: list[Tensor]

    def _tensors(self) -> list[Tensor]:
        return [*self.inputs[1:], self.pooled, self.output, *self.deltas]

    def _changed(self, inputs: list[Tensor], rest: list[Tensor]) -> LayerwiseConvolutional:
        count = len(self.layers) - 1
        hidden, (pooled, output), deltas = rest[:count], rest[count : count + 2], rest[count + 2 :]
        return LayerwiseConvolutional(self.layers, [*inputs, *hidden], pooled, output, deltas)

    def select(self, index: Tensor) -> LayerwiseConvolutional:
        """See `Linearisation`."""
        return self._changed(self.inputs[:1], [t[index] for t in self._tensors()])

    def put(self, index: Tensor, other: LayerwiseConvolutional) -> None:
        """See `Linearisation`."""
        for mine, theirs in zip(self._tensors(), other._tensors(), strict=True):
            mine[index] = theirs

    def select_points(self, rows: slice) -> LayerwiseConvolutional:
        """See `Linearisation`."""
        return self._changed([self.inputs[0][:, rows]], [t[:, rows] for t in self._tensors()])

    @property
    def tile_size(self) -> int:
        """See `Linearisation`."""
        return _TILE

    def pullback(self, q: Tensor) -> Weights:
        """See `Linearisation`."""
        spread = q[..., None, None]
        convolutions = [
            layer.pullback(a, d * spread) for layer, a, d in zip(self.layers, self.inputs, self.deltas, strict=True)
        ]
        return [*convolutions, torch.bmm(q.unsqueeze(1), self.pooled)]

    def pushforward(self, v: Weights) -> Tensor:
        """See `Linearisation`."""
        total = torch.bmm(self.pooled, v[-1].mT).squeeze(-1)
        for layer, a, d, part in zip(self.layers, self.inputs, self.deltas, v[:-1], strict=True):
            total += layer.convolve(a, part).mul_(d).sum(dim=(-2, -1))
        return total

    def kernel_parts(self, other: LayerwiseConvolutional | None = None) -> Iterator[Tensor]:
        """See `Linearisation`."""
        for number, layer in enumerate(self.layers):
            n, m = self.output.shape[1], (0 if other is None else other.output.shape[1])
            # per member: gradients of n + m points and their products, or products of patches and of deltas
            channels = self.deltas[number].shape[-1]
            pairs = n * m if m else n * (n + 1) // 2
            by_gradients = 2 * channels * layer.columns * (pairs + (n + m) * layer.positions)
            by_patches = pairs * layer.positions**2 * (2 * layer.columns + 2 * channels + 2)
            kernel = self._kernel_by_gradients if by_gradients < by_patches else self._kernel_by_patches
            yield kernel(number, other)
        yield torch.bmm(self.pooled, (self if other is None else other).pooled.mT)

    def kernel_trace(self) -> Tensor:
        """See `Linearisation`."""
        total = self.pooled.square().sum(-1)
        for number, layer in enumerate(self.layers):
            a, delta = self.inputs[number], self.deltas[number]
            channels = delta.shape[-1]
            patches = layer.positions * (layer.columns + channels) < channels * layer.columns
            for members, points in layer.blocks(a, len(delta)):
                u = layer.rows(a, members, points, len(delta)).unflatten(1, (-1, layer.positions)).flatten(0, 1)
                d = delta[members, points].flatten(0, 1)
                square = (u @ u.mT).mul_(d @ d.mT).sum((-2, -1)) if patches else (d.mT @ u).square_().sum((-2, -1))
                total[members, points] += square.view(total[members, points].shape)
        return total.sum(-1)

    def _kernel_by_gradients(self, number: int, other: LayerwiseConvolutional | None) -> Tensor:
        """<G_i, G_j>, accumulated over blocks of channels, a few members at a time."""
        n = self.output.shape[1]
        m = n if other is None else other.output.shape[1]
        members, channels = self.deltas[number].shape[0], self.deltas[number].shape[-1]
        each = max(n, m) * self.layers[number].columns * self.output.element_size()
        together = max(1, _GRADIENT_BYTES // (each * channels))
        rows = max(1, min(channels, _GRADIENT_BYTES // each))
        found = self.output.new_zeros(members, n, m)
        for start in range(0, members, together):
            group = slice(start, min(start + together, members))
            for first in range(0, channels, rows):
                block = slice(first, first + rows)
                ours = self._gradients(number, group, block)
                if other is not None:
                    found[group].baddbmm_(ours, other._gradients(number, group, block).mT)
                    continue
                for row in range(0, n, _ROWS):
                    found[group, row : row + _ROWS, row:].baddbmm_(ours[:, row : row + _ROWS], ours[:, row:].mT)
        return found if other is not None else _mirrored(found)

    def _gradients(self, number: int, members: slice, channels: slice) -> Tensor:
        """G of some members and channels, shape (members, n, channels·K)."""
        layer, a = self.layers[number], self.inputs[number]
        delta = self.deltas[number][members, :, :, channels]
        a = a if len(a) == 1 != len(self.output) else a[members]
        found = delta.new_empty(*delta.shape[:2], delta.shape[-1], layer.columns)
        for part, points in layer.blocks(a, len(delta)):
            u = layer.rows(a, part, points, len(delta)).unflatten(1, (-1, layer.positions)).flatten(0, 1)
            d = delta[part, points].flatten(0, 1)
            found[part, points] = torch.bmm(d.mT, u).view(found[part, points].shape)
        return found.flatten(2)

    def _kernel_by_patches(self, number: int, other: LayerwiseConvolutional | None) -> Tensor:
        """sum_pp' (u_ip · u_jp') (delta_ip · delta_jp'), block of points by block of points."""
        right = self if other is None else other
        layer, p = self.layers[number], self.layers[number].positions
        members, n, m = len(self.output), self.output.shape[1], right.output.shape[1]
        limit = _block_bytes(self.output)
        each = p * max(layer.columns, p) * self.output.element_size()
        points = max(1, min(limit // each, _PRODUCTS // p))
        together = max(1, limit // (each * max(n, m)))
        found = self.output.new_empty(members, n, m)
        for group, rows in _blocks(members, together, n, points):
            u = layer.rows(self.inputs[number], group, rows, members)
            d = self.deltas[number][group, rows].flatten(1, 2)
            for start in range(0 if other is not None else rows.start, m, points):
                columns = slice(start, min(start + points, m))
                products = torch.bmm(u, layer.rows(right.inputs[number], group, columns, members).mT)
                products *= torch.bmm(d, right.deltas[number][group, columns].flatten(1, 2).mT)
                found[group, rows, columns] = products.unflatten(2, (-1, p)).unflatten(1, (-1, p)).sum((2, 4))
        return found if other is not None else _mirrored(found)


class Convolutional(Architecture):
    """``depth`` convolutions of ``width`` channels, the mean over positions, and one output."""

    name = "cnn"
    images = True
    biased = True

    def __init__(
        self, input_shape: int | tuple[int, ...], width: int, depth: int, activation: Activation, bias: float = 0.0
    ) -> None:
        assert isinstance(input_shape, tuple)
        self.convolutions = _layers(input_shape, width, depth, bias)
        super().__init__(input_shape, width, depth, activation, bias)
        # sigma(z) is used over sqrt(fan-in) only
        self._scaled_activation = compile_activation(activation, 1.0 / math.sqrt(FILTER**2 * width))

    @classmethod
    def check(cls, input_shape: tuple[int, ...], depth: int) -> None:
        """See `Architecture`: an image must be large enough for every filter."""
        super().check(input_shape, depth)
        largest = _largest_depth(input_shape)
        if depth > largest:
            size = f"{input_shape[0]}x{input_shape[1]}"
            problem = f"an image of {size} is smaller than a {FILTER}x{FILTER} filter after {largest} convolutions"
            raise InputError("depth", depth, problem, f"Use depth <= {largest}" if largest else "Use larger images")

    @classmethod
    def multiplications(cls, input_shape: tuple[int, ...], width: int, depth: int) -> float:
        """Each filter at each of its positions, and the last layer."""
        return float(sum(c.positions * c.columns * width for c in _layers(input_shape, width, depth, 0.0)) + width)

    def weight_shapes(self) -> Sequence[tuple[int, ...]]:
        """See `Architecture`; a row's columns are the filter's rows, its columns, the channels, in this order."""
        return [*((self.width, layer.columns) for layer in self.convolutions), (1, self.width + (self.bias > 0))]

    @property
    def size(self) -> NetworkSize:
        """See `Architecture`: an input and a delta for every channel and position."""
        positions = sum(layer.positions for layer in self.convolutions)
        weights = sum(math.prod(shape) for shape in self.shapes)
        return NetworkSize(weights, 2 * positions * self.width)

    def forward(self, weights: Weights, x: Tensor) -> Tensor:
        """See `Architecture`: the network by torch's own convolution, which the layerwise forms are tested against."""
        b, found = int(self.bias > 0), []
        for own in zip(*weights, strict=True):
            z = x.permute(0, 3, 1, 2)
            for layer, w in zip(self.convolutions, own, strict=False):
                z = conv2d(z, layer.filters(w), None, layer.stride, PADDING) / math.sqrt(FILTER**2 * layer.channels)
                z = self.sigma(z + self.bias * w[:, -1:, None] if b else z)
            last = own[-1][0]
            f = z.mean((2, 3)) @ last[: self.width] / math.sqrt(self.width)
            found.append(f + math.sqrt(self.width) * self.bias * last[-1] if b else f)
        return torch.stack(found)

    def coordinates(
        self, weights: Weights, x_train: Tensor, x_test: Tensor, *, dense: bool = False
    ) -> tuple[Weights, Inputs, Inputs]:
        """See `Architecture`: the weights are their own coordinates."""
        return weights, self._as_read(x_train), self._as_read(x_test)

    def _as_read(self, x: Tensor) -> Images:
        images, layer = self._padded_images(x), self.convolutions[0]
        fit = len(x) * layer.positions * layer.columns * x.element_size() <= _KEPT_BYTES
        return Images(x, layer.patches(images) if fit and not layer.by_torch(x) else images)

    def linearise(self, weights: Weights, inputs: Tensor | Inputs) -> LayerwiseConvolutional:
        """Evaluate and differentiate the networks on ``inputs``: x of shape (n, input_dim), or `Points`."""
        padded, activations, slopes = self._images(inputs), [], []
        for layer, w in zip(self.convolutions, weights, strict=False):
            activations.append(padded)
            a, slope = self._scaled_activation.value_and_slope(layer.convolve(padded, w))
            slopes.append(slope)  # sigma'(z^l) / sqrt(25·width)
            padded = _padded(a.unflatten(2, (layer.out_height, layer.out_width)))
        pooled = self._pooled(a)
        output = torch.bmm(pooled, weights[-1].mT).squeeze(-1)

        last = weights[-1][..., : self.width].unsqueeze(1)
        deltas = [slopes[-1].mul_(last * (FILTER / self.convolutions[-1].positions))]
        for layer, w, slope in zip(self.convolutions[:0:-1], weights[-2:0:-1], reversed(slopes[:-1]), strict=True):
            deltas.append(slope.mul_(layer.back(deltas[-1], w).flatten(2, 3)))
        return LayerwiseConvolutional(self.convolutions, activations, pooled, output, deltas[::-1])

    def output(self, weights: Weights, inputs: Tensor | Inputs) -> Tensor:
        """See `Architecture`."""
        padded = self._images(inputs)
        for layer, w in zip(self.convolutions, weights, strict=False):
            a = self._scaled_activation.value(layer.convolve(padded, w))
            padded = _padded(a.unflatten(2, (layer.out_height, layer.out_width)))
        return torch.bmm(self._pooled(a), weights[-1].mT).squeeze(-1)

    def _images(self, inputs: Tensor | Inputs) -> Tensor:
        """What the first convolution reads."""
        if isinstance(inputs, Images):
            return inputs.first
        return self._padded_images(inputs if isinstance(inputs, Tensor) else inputs.a)

    def _padded_images(self, x: Tensor) -> Tensor:
        """The images over sqrt(fan-in), (1, n, height + 2, width + 2, channels)."""
        return _padded(x.reshape(1, -1, *self.input_shape) / math.sqrt(FILTER**2 * self.input_shape[2]))

    def _pooled(self, a: Tensor) -> Tensor:
        """The last layer's inputs: the mean over positions of sigma/sqrt(h); ``a`` is sigma/(5 sqrt(h))."""
        pooled = FILTER * a.mean(2)
        return pad(pooled, (0, 1), value=self.bias * math.sqrt(self.width)) if self.bias else pooled


def _padded(a: Tensor) -> Tensor:
    return pad(a, (0, 0, PADDING, PADDING, PADDING, PADDING)).contiguous()


def _mirrored(upper: Tensor) -> Tensor:
    """Complete symmetric matrices of which what is on and above the diagonal is known."""
    return upper.triu() + upper.triu(1).mT


def _blocks(members: int, together: int, points: int, at_once: int) -> Iterator[tuple[slice, slice]]:
    for member in range(0, members, together):
        for point in range(0, points, at_once):
            yield slice(member, member + together), slice(point, min(point + at_once, points))


def _block_bytes(like: Tensor) -> int:
    return _CPU_BLOCK_BYTES if like.device.type == "cpu" else _GPU_BLOCK_BYTES


def _layers(shape: tuple[int, ...], width: int, depth: int, bias: float) -> list[Layer]:
    layers: list[Layer] = []
    height, across, channels = shape
    for number in range(depth):
        layers.append(Layer(height, across, channels, STRIDE if number % 2 == 0 else 1, bias))
        height, across, channels = layers[-1].out_height, layers[-1].out_width, width
    return layers


def _largest_depth(shape: tuple[int, ...]) -> int:
    """How many convolutions an image of this shape is large enough for."""
    height, across = shape[:2]
    depth = 0
    while min(height, across) + 2 * PADDING >= FILTER:
        stride = STRIDE if depth % 2 == 0 else 1
        height, across = ((side + 2 * PADDING - FILTER) // stride + 1 for side in (height, across))
        depth += 1
    return depth
