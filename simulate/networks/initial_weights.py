"""Initial weights: the same for a network wherever, whenever and beside whichever others it is trained."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import torch

from simulate.networks.linearisation import Weights


def draw_weights(key: str, shapes: Sequence[tuple[int, ...]], *, zero_last_column: bool = False) -> Weights:
    """Draw one network's weights, N(0, 1) in float64 on the CPU, from a generator that ``key`` seeds.

    Weights of more than two dimensions come as matrices (rows, all other indices). With ``zero_last_column`` the last
    column of every matrix, that of a bias, is zero, and the other entries are those drawn without it.
    """
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little", signed=True))
    zeros = int(zero_last_column)
    sizes = [(shape[0], math.prod(shape[1:]) - zeros) for shape in shapes]
    matrices = [torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]
    return [torch.nn.functional.pad(matrix, (0, zeros)) for matrix in matrices] if zeros else matrices
