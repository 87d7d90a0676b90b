"""A model with its output scaled, F = s·(f - f_0): the scale decides the regime."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from lazyrich.errors import InputError
from simulate.audit.coordinates import size_seed
from simulate.audit.loading import Make, build
from simulate.audit.model_function import ModelFunction, check_forward
from simulate.audit.tangent_kernel import can_be_mapped, output_directions, tangent_kernels
from simulate.audit.training import MakeOptimizer, TrainingData, make_optimizer, steps


class ScaledOutput(nn.Module):
    """F = s·(f(w) - f(w_0)): zero at the start at every scale."""

    def __init__(self, model: nn.Module, scale: float) -> None:
        super().__init__()
        self.model = model
        self.start = copy.deepcopy(model).requires_grad_(False)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (self.model(x) - self.start(x))


def kernel_changes(
    make: Make,
    scales: Sequence[float],
    data: TrainingData,
    *,
    optimizer: str | MakeOptimizer = "adam",
    rate: float = 1e-2,
    most_steps: int = 2000,
    fitted: float = 0.1,
    seeds: int = 3,
    points: int = 32,
    report: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Train a model at every output scale, and measure by how much its tangent kernel changes.

    Parameters
    ----------
    make : callable
        ``make()`` returns the model; all scales start from the same initial weights of a seed.
    scales : sequence of float
        s in F = s·(f - f_0).
    rate : float
        Learning rate; divided by s (Adam) or s² (SGD and others) where s > 1, so that F moves alike.
    most_steps : int
        Training ends when the loss is the share ``fitted`` of its start, or then.
    points : int
        The kernel is compared on the first so many points.

    Returns
    -------
    xarray.Dataset
        ``kernel_change``, ``fitted`` (whether training got there), ``steps``, each (scale, seed).
    """
    if len(set(scales)) < 3 or min(scales) <= 0:
        remedy = "Give half a dozen, from 1e-3 to 1e3"
        raise InputError("scales", list(scales), "a crossover needs three positive scales or more", remedy)
    change = np.empty((len(scales), seeds))
    reached = np.zeros((len(scales), seeds), dtype=bool)
    taken = np.zeros((len(scales), seeds), dtype=int)
    x = data.inputs[:points]
    for k in range(seeds):
        for i, scale in enumerate(scales):
            model = ScaledOutput(build(make, seed=size_seed(0, k)), float(scale))
            function = ModelFunction.of(model)
            outputs = check_forward(function, x).shape[1]
            directions = output_directions(outputs, function.dtype)
            mapped = can_be_mapped(function, x, directions)
            before = tangent_kernels(function, x, directions, mapped=mapped).total
            damped = rate / max(1.0, scale) ** (1 if optimizer == "adam" else 2)
            first = None
            for number, loss in steps(model, make_optimizer(optimizer, model, damped), data, most_steps):
                first = loss if first is None else first
                taken[i, k] = number
                if loss <= fitted * first or not np.isfinite(loss):
                    reached[i, k] = bool(np.isfinite(loss))
                    break
            model.zero_grad()
            if all(bool(torch.isfinite(p).all()) for p in model.parameters()):
                after = tangent_kernels(ModelFunction.of(model), x, directions, mapped=mapped).total
                change[i, k] = np.linalg.norm(after - before) / np.linalg.norm(before)
            else:
                change[i, k] = np.nan
            if report is not None:
                report((k * len(scales) + i + 1) / change.size)
    dims = ("scale", "seed")
    return xr.Dataset(
        {"kernel_change": (dims, change), "fitted": (dims, reached), "steps": (dims, taken)},
        coords={"scale": list(map(float, scales))},
    )
