r"""One convolution of stacked networks, by products of filters with patches of images.

Filters are 5×5, padding is 1. Images and activations have their channels last, and are kept with their padding:
(members, n, height + 2, width + 2, channels). At position p of datum i the input is the patch u_ip of K = 25·channels
numbers (with a bias one more, the same everywhere), and z_ip = W u_ip. P is the number of positions, h that of filters.
Patches are made block by block: of all members and points they would take 25 times the memory of the images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import grad
from torch.nn.functional import conv2d, pad

FILTER, PADDING, STRIDE = 5, 1, 2

_CPU_BLOCK_BYTES, _GPU_BLOCK_BYTES = 2**22, 2**28  # of patches made at once: on a CPU they stay in a core's cache


@dataclass(frozen=True)
class Convolution:
    """The shapes of one convolution: images of ``height`` × ``width`` × ``channels``, the filter's ``stride``.

    ``bias`` is the last entry of every patch; 0 is none.
    """

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

    # -- the convolution and its derivatives ---------------------------------------------------------------------------

    def convolve(self, a: Tensor, w: Tensor) -> Tensor:
        """Return z = W u, shape (members, n, P, h), of padded inputs ``a``, which may have one member for all."""
        z = w.new_empty(len(w), a.shape[1], self.positions, w.shape[1])
        if self.uses_torch(a):
            for member, filters in enumerate(w):
                images = conv2d(self._member_images(a, member), self.filters(filters), None, self.stride)
                z[member] = self._flattened(images)
            return z
        for members, points in self.blocks(a, len(w)):
            u = self.patch_rows(a, members, points, len(w))
            z[members, points] = torch.bmm(u, w[members].mT).view(z[members, points].shape)
        return z

    def weight_gradient(self, a: Tensor, dz: Tensor) -> Tensor:
        """Return sum over points and positions of dz u^T, shape (members, h, K)."""
        gradient = dz.new_zeros(len(dz), dz.shape[-1], self.columns)
        if self.uses_torch(a):
            shape = (dz.shape[-1], self.channels, FILTER, FILTER)
            for member, dz_member in enumerate(dz):
                images = self._member_images(a, member)
                filters = grad.conv2d_weight(images, shape, self._unflattened(dz_member), self.stride)
                gradient[member] = filters.permute(0, 2, 3, 1).flatten(1)
            return gradient
        for members, points in self.blocks(a, len(dz)):
            rows = dz[members, points].flatten(1, 2)
            gradient[members].baddbmm_(rows.mT, self.patch_rows(a, members, points, len(dz)))
        return gradient

    def input_gradient(self, dz: Tensor, w: Tensor) -> Tensor:
        """Return the gradient by the inputs, (members, n, height, width, channels), given that by z."""
        gradient = dz.new_empty(*dz.shape[:2], self.height, self.width, self.channels)
        shape = (dz.shape[1], self.channels, self.height, self.width)
        for member, filters in enumerate(w):
            dz_member = self._unflattened(dz[member])
            images = grad.conv2d_input(shape, self.filters(filters), dz_member, self.stride, PADDING)
            gradient[member] = images.permute(0, 2, 3, 1)
        return gradient

    def filters(self, w: Tensor) -> Tensor:
        """Return the filters of one member, (h, channels, 5, 5), given its W (h, K)."""
        return w[:, : FILTER**2 * self.channels].view(-1, FILTER, FILTER, self.channels).permute(0, 3, 1, 2)

    # -- patches -------------------------------------------------------------------------------------------------------

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

    def patch_rows(self, a: Tensor, members: slice, points: slice, member_count: int) -> Tensor:
        """Return the patches of a block as rows, (members, n·P, K).

        Of inputs that all ``member_count`` members share they are made once.
        """
        if len(a) == member_count:
            return self.patches(a[members, points]).flatten(1, 2)
        u = self.patches(a[:, points]).flatten(1, 2)
        return u.expand(len(range(*members.indices(member_count))), -1, -1)

    def blocks(self, a: Tensor, members: int) -> Iterator[tuple[slice, slice]]:
        """Yield members and points whose patches are made at once; a member's do not depend on the others."""
        n, limit = a.shape[1], block_bytes(a)
        bytes_per_image = self.positions * self.columns * a.element_size()
        return member_point_blocks(members, max(1, limit // (bytes_per_image * n)), n, max(1, limit // bytes_per_image))

    # -- torch's own convolution ---------------------------------------------------------------------------------------

    def uses_torch(self, a: Tensor) -> bool:
        """Whether torch's convolution takes less time than the product with patches: oneDNN has no float64."""
        return a.dtype == torch.float32 and not self.bias

    def _member_images(self, a: Tensor, member: int) -> Tensor:
        """The padded images of a member, (n, channels, ...), as torch has them."""
        return a[member if len(a) > 1 else 0].permute(0, 3, 1, 2)

    def _flattened(self, z: Tensor) -> Tensor:
        """From torch's (n, h, height, width) to (n, P, h)."""
        return z.permute(0, 2, 3, 1).flatten(1, 2)

    def _unflattened(self, dz: Tensor) -> Tensor:
        """From (n, P, h) to torch's (n, h, height, width)."""
        return dz.unflatten(1, (self.out_height, self.out_width)).permute(0, 3, 1, 2)


def convolutions(shape: tuple[int, ...], width: int, depth: int, bias: float) -> list[Convolution]:
    """Return ``depth`` convolutions of ``width`` channels on images of this shape.

    The stride is 2 in every second one, the first included.
    """
    layers: list[Convolution] = []
    height, image_width, channels = shape
    for number in range(depth):
        layers.append(Convolution(height, image_width, channels, _stride(number), bias))
        height, image_width, channels = layers[-1].out_height, layers[-1].out_width, width
    return layers


def largest_depth(shape: tuple[int, ...]) -> int:
    """Return how many such convolutions an image of this shape is large enough for."""
    depth, sides = 0, shape[:2]
    while min(sides) + 2 * PADDING >= FILTER:
        sides = tuple((side + 2 * PADDING - FILTER) // _stride(depth) + 1 for side in sides)
        depth += 1
    return depth


def _stride(number: int) -> int:
    return STRIDE if number % 2 == 0 else 1


def with_padding(a: Tensor) -> Tensor:
    """Put zeros around images (members, n, height, width, channels)."""
    return pad(a, (0, 0, PADDING, PADDING, PADDING, PADDING)).contiguous()


def member_point_blocks(
    members: int, members_at_once: int, points: int, points_at_once: int
) -> Iterator[tuple[slice, slice]]:
    """Yield blocks of members and points that cover all of both."""
    for member in range(0, members, members_at_once):
        for point in range(0, points, points_at_once):
            yield slice(member, member + members_at_once), slice(point, min(point + points_at_once, points))


def block_bytes(like: Tensor) -> int:
    """Return how many bytes of patches are made at once on a tensor's device."""
    return _CPU_BLOCK_BYTES if like.device.type == "cpu" else _GPU_BLOCK_BYTES
