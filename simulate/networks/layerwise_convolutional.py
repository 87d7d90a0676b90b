r"""Convolutional networks linearised layer by layer, as `simulate.networks.fully_connected` does dense ones.

With u_ip the patch at position p of datum i (`simulate.networks.convolution`) and delta_ip = df/dz_ip, a gradient is
G_i = sum_p delta_ip u_ip^T, and a layer's kernel

    Theta_ij = <G_i, G_j> = sum_pp' (u_ip · u_jp') (delta_ip · delta_jp'),

read from left to right costs 2hK operations a pair of points, read from the right 2(K + h) for each pair of positions:
`kernel_parts` takes the cheaper by count. Gradients are not kept, and patches only those of the images where they are
few: the others are made block by block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.networks.convolution import Convolution, block_bytes, member_point_blocks
from simulate.networks.linearisation import Linearisation, Weights

_TILE = 512
_ROWS = 64  # of a symmetric kernel, which is made from these rows' diagonal on
_PRODUCTS = 1024  # rows and columns of patch products made at once
_GRADIENT_BYTES = 2**25  # of gradients of single points


@dataclass
class LayerwiseConvolutional(Linearisation):
    """Networks linearised at their weights, on one set of ``n`` images.

    Attributes
    ----------
    layers : list of Convolution
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

    layers: list[Convolution]
    inputs: list[Tensor]
    pooled: Tensor
    output: Tensor
    deltas: list[Tensor]

    def _member_tensors(self) -> list[Tensor]:
        """All tensors that have a value for each member."""
        return [*self.inputs[1:], self.pooled, self.output, *self.deltas]

    def _with(self, images: Tensor, tensors: list[Tensor]) -> LayerwiseConvolutional:
        """Return the linearisation with other images and other `_member_tensors`."""
        count = len(self.layers) - 1
        hidden, (pooled, output), deltas = tensors[:count], tensors[count : count + 2], tensors[count + 2 :]
        return LayerwiseConvolutional(self.layers, [images, *hidden], pooled, output, deltas)

    def select(self, index: Tensor) -> LayerwiseConvolutional:
        """See `Linearisation`."""
        return self._with(self.inputs[0], [t[index] for t in self._member_tensors()])

    def put(self, index: Tensor, other: LayerwiseConvolutional) -> None:
        """See `Linearisation`."""
        for tensor, replacement in zip(self._member_tensors(), other._member_tensors(), strict=True):
            tensor[index] = replacement

    def select_points(self, rows: slice) -> LayerwiseConvolutional:
        """See `Linearisation`."""
        return self._with(self.inputs[0][:, rows], [t[:, rows] for t in self._member_tensors()])

    @property
    def tile_size(self) -> int:
        """See `Linearisation`."""
        return _TILE

    def pullback(self, q: Tensor) -> Weights:
        """See `Linearisation`."""
        q_everywhere = q[..., None, None]
        filters = [
            layer.weight_gradient(a, delta * q_everywhere)
            for layer, a, delta in zip(self.layers, self.inputs, self.deltas, strict=True)
        ]
        return [*filters, torch.bmm(q.unsqueeze(1), self.pooled)]

    def pushforward(self, v: Weights) -> Tensor:
        """See `Linearisation`."""
        total = torch.bmm(self.pooled, v[-1].mT).squeeze(-1)
        for layer, a, delta, v_layer in zip(self.layers, self.inputs, self.deltas, v[:-1], strict=True):
            total += layer.convolve(a, v_layer).mul_(delta).sum(dim=(-2, -1))
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
        squares = self.pooled.square().sum(-1)  # of each point's gradient
        for number, layer in enumerate(self.layers):
            a, delta = self.inputs[number], self.deltas[number]
            channels = delta.shape[-1]
            by_patches = layer.positions * (layer.columns + channels) < channels * layer.columns
            for members, points in layer.blocks(a, len(delta)):
                u = layer.patch_rows(a, members, points, len(delta)).unflatten(1, (-1, layer.positions)).flatten(0, 1)
                d = delta[members, points].flatten(0, 1)
                square = (u @ u.mT).mul_(d @ d.mT).sum((-2, -1)) if by_patches else (d.mT @ u).square_().sum((-2, -1))
                squares[members, points] += square.view(squares[members, points].shape)
        return squares.sum(-1)

    def _kernel_by_gradients(self, number: int, other: LayerwiseConvolutional | None) -> Tensor:
        """<G_i, G_j> of one layer, accumulated over blocks of channels, a few members at a time."""
        n = self.output.shape[1]
        m = n if other is None else other.output.shape[1]
        member_count, channel_count = self.deltas[number].shape[0], self.deltas[number].shape[-1]
        bytes_per_channel = max(n, m) * self.layers[number].columns * self.output.element_size()
        members_at_once = max(1, _GRADIENT_BYTES // (bytes_per_channel * channel_count))
        channels_at_once = max(1, min(channel_count, _GRADIENT_BYTES // bytes_per_channel))
        theta = self.output.new_zeros(member_count, n, m)
        for members, channels in member_point_blocks(member_count, members_at_once, channel_count, channels_at_once):
            left = self._gradients(number, members, channels)
            if other is not None:
                theta[members].baddbmm_(left, other._gradients(number, members, channels).mT)
                continue
            for row in range(0, n, _ROWS):
                theta[members, row : row + _ROWS, row:].baddbmm_(left[:, row : row + _ROWS], left[:, row:].mT)
        return theta if other is not None else _mirrored(theta)

    def _gradients(self, number: int, members: slice, channels: slice) -> Tensor:
        """G of one layer for some members and channels, shape (members, n, channels·K)."""
        layer, a = self.layers[number], self.inputs[number]
        delta = self.deltas[number][members, :, :, channels]
        shared = len(a) == 1 and len(self.output) > 1
        a = a if shared else a[members]
        gradients = delta.new_empty(*delta.shape[:2], delta.shape[-1], layer.columns)
        for some, points in layer.blocks(a, len(delta)):
            u = layer.patch_rows(a, some, points, len(delta)).unflatten(1, (-1, layer.positions)).flatten(0, 1)
            d = delta[some, points].flatten(0, 1)
            gradients[some, points] = torch.bmm(d.mT, u).view(gradients[some, points].shape)
        return gradients.flatten(2)

    def _kernel_by_patches(self, number: int, other: LayerwiseConvolutional | None) -> Tensor:
        """sum_pp' (u_ip · u_jp') (delta_ip · delta_jp') of one layer, block of points by block of points."""
        right = self if other is None else other
        layer, positions = self.layers[number], self.layers[number].positions
        member_count, n, m = len(self.output), self.output.shape[1], right.output.shape[1]
        limit = block_bytes(self.output)
        bytes_per_point = positions * max(layer.columns, positions) * self.output.element_size()
        points_at_once = max(1, min(limit // bytes_per_point, _PRODUCTS // positions))
        members_at_once = max(1, limit // (bytes_per_point * max(n, m)))
        theta = self.output.new_empty(member_count, n, m)
        for members, rows in member_point_blocks(member_count, members_at_once, n, points_at_once):
            u = layer.patch_rows(self.inputs[number], members, rows, member_count)
            d = self.deltas[number][members, rows].flatten(1, 2)
            for start in range(0 if other is not None else rows.start, m, points_at_once):
                columns = slice(start, min(start + points_at_once, m))
                products = torch.bmm(u, layer.patch_rows(right.inputs[number], members, columns, member_count).mT)
                products *= torch.bmm(d, right.deltas[number][members, columns].flatten(1, 2).mT)
                by_position = products.unflatten(2, (-1, positions)).unflatten(1, (-1, positions))
                theta[members, rows, columns] = by_position.sum((2, 4))
        return theta if other is not None else _mirrored(theta)


def _mirrored(upper: Tensor) -> Tensor:
    """Complete symmetric matrices of which what is on and above the diagonal is known."""
    return upper.triu() + upper.triu(1).mT
