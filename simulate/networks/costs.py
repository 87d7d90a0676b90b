"""What a network takes, told by its architecture before one is trained: numbers in memory, and operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.networks.linearisation import Weights


@dataclass(frozen=True)
class NetworkSize:
    """How large one network is, for estimates of memory.

    ``weights`` is the number of its weights, ``kept_per_point`` how many numbers a linearisation keeps for each point.
    """

    weights: int
    kept_per_point: int


@dataclass(frozen=True)
class OperationCounts:
    """What one network on n points takes, for the choice of an integrator.

    ``gradient`` (J^T q, its forward pass included) and ``kernel`` (Theta between all points) are counts of floating
    point operations. ``activations`` is how many numbers a forward pass on all points writes, ``weights`` how many
    stand for the weights in the coordinates that they are integrated in: passes over memory are counted by these.
    """

    gradient: float
    kernel: float
    activations: float
    weights: float


def numbers_kept_per_point(
    evaluate: Callable[[Weights, Tensor], Tensor], shapes: Sequence[tuple[int, ...]], input_dim: int
) -> int:
    """Return how many numbers automatic differentiation keeps for one more point.

    ``evaluate`` is f of stacked weights, of these shapes, and points (n, input_dim). It is followed for one and for two
    points on torch's device "meta", where tensors have shapes and no entries. A function that looks at entries can't
    be followed: then four numbers a row of weights are assumed.
    """
    try:
        return _numbers_kept(evaluate, shapes, input_dim, 2) - _numbers_kept(evaluate, shapes, input_dim, 1)
    except Exception:  # whatever a user's function does with tensors that have no entries
        return 4 * sum(shape[0] for shape in shapes)


def _numbers_kept(
    evaluate: Callable[[Weights, Tensor], Tensor], shapes: Sequence[tuple[int, ...]], input_dim: int, n: int
) -> int:
    matrices = [(1, shape[0], math.prod(shape[1:])) for shape in shapes]
    weights = [torch.empty(matrix, device="meta", requires_grad=True) for matrix in matrices]
    total = 0

    def count(saved: Tensor) -> Tensor:
        nonlocal total
        total += saved.numel()
        return saved

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda saved: saved):
        evaluate(weights, torch.empty(n, input_dim, device="meta"))
    return total
