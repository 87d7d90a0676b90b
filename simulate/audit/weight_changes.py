"""How far each parameter moved, and whether it moved along few directions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.audit.model_function import ModelFunction

_MOST_EXACT = 2048  # smaller side of a matrix up to which singular values are computed exactly


@dataclass(frozen=True)
class WeightChange:
    """The change dW of one parameter; matrices are (outputs, everything else).

    The stable rank ||dW||_F²/||dW||_2² says how many directions carry a matrix: 1 for one, and up to its smaller side.
    """

    shape: tuple[int, ...]
    norm: float  #: ||W_0||_F
    change: float  #: ||dW||_F/||W_0||_F; NaN where W_0 is zero and has moved
    spectral_change: float  #: ||dW||_2/||W_0||_2; NaN for vectors, and where W_0 is zero
    stable_rank: float  #: of dW; NaN for vectors, and where nothing moved


def weight_changes(before: ModelFunction, after: ModelFunction) -> dict[str, WeightChange]:
    """Return the change of every parameter."""
    return {name: _change(p, after.parameters[name]) for name, p in before.parameters.items()}


def _change(initial: Tensor, final: Tensor) -> WeightChange:
    start, moved = initial.double(), final.double() - initial.double()
    norm, distance = float(start.norm()), float(moved.norm())
    spectral, rank = math.nan, math.nan
    if initial.ndim >= 2:
        top = spectral_norm(moved)
        initial_norm = spectral_norm(start)
        spectral = _ratio(top, initial_norm)
        rank = (distance / top) ** 2 if top > 0 else math.nan
    return WeightChange(tuple(initial.shape), norm, _ratio(distance, norm), spectral, rank)


def _ratio(part: float, total: float) -> float:
    if total > 0:
        return part / total
    return 0.0 if part == 0 else math.nan


def spectral_norm(tensor: Tensor) -> float:
    """Return the largest singular value of a tensor as a matrix (first dimension, all others)."""
    matrix = tensor.reshape(len(tensor), -1)
    if not bool(matrix.any()):
        return 0.0
    if min(matrix.shape) <= _MOST_EXACT:
        small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        return math.sqrt(max(0.0, float(torch.linalg.eigvalsh(small @ small.T)[-1])))
    generator_state = torch.get_rng_state()
    torch.manual_seed(0)
    try:
        return float(torch.svd_lowrank(matrix, q=8, niter=12)[1][0])
    finally:
        torch.set_rng_state(generator_state)
