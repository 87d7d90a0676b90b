"""A model with its output scaled, F = s·(f - f_0): the scale decides the regime."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from lazyrich.errors import InputError
from simulate.audit.loading import Make, build
from simulate.audit.model_function import ModelFunction, check_forward
from simulate.audit.sizes import check_seeds, size_seed
from simulate.audit.tangent_kernel import can_be_mapped, output_directions, tangent_kernels
from simulate.audit.training import MakeOptimizer, TrainingData, make_optimizer, steps
from simulate.audit.transfer import Train, trained_loss


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
    train: Train | None = None,
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
    train : callable, optional
        ``train(model, rate, seed)`` in place of the built-in training, with the rate divided as above; what it returns,
        a loss, counts as fitted where it is finite.
    points : int
        The kernel is compared on the first so many points.

    Returns
    -------
    xarray.Dataset
        ``kernel_change``, ``fitted`` (whether training got there), ``steps``, each (scale, seed).
    """
    if len(set(scales)) < 3 or not all(0 < scale < np.inf for scale in scales):
        remedy = "Give half a dozen, from 1e-3 to 1e3"
        raise InputError("scales", list(scales), "a crossover needs three positive scales or more", remedy)
    check_seeds(seeds, 1)
    change = np.empty((len(scales), seeds))
    reached = np.zeros((len(scales), seeds), dtype=bool)
    taken = np.zeros((len(scales), seeds), dtype=int)
    x = data.inputs[:points]
    for k in range(seeds):
        for i, scale in enumerate(scales):
            model = ScaledOutput(build(make, seed=size_seed(0, k)), float(scale))
            function = ModelFunction.from_module(model)
            outputs = check_forward(function, x).shape[1]
            directions = output_directions(outputs, function.dtype)
            mapped = can_be_mapped(function, x, directions)
            before = tangent_kernels(function, x, directions, mapped=mapped).total
            damped = rate / max(1.0, scale) ** (1 if optimizer == "adam" else 2)
            if train is not None:
                reached[i, k] = bool(np.isfinite(trained_loss(train, model, damped, k)))
            else:
                chosen_optimizer = make_optimizer(optimizer, model, damped)
                reached[i, k], taken[i, k] = _until_fitted(model, chosen_optimizer, data, most_steps, fitted)
            model.zero_grad()
            if all(bool(torch.isfinite(p).all()) for p in model.parameters()):
                after = tangent_kernels(ModelFunction.from_module(model), x, directions, mapped=mapped).total
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


def _until_fitted(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: TrainingData, most_steps: int, fitted: float
) -> tuple[bool, int]:
    """Train until the loss is a share of its start; return whether it got there, and the steps taken."""
    loss_at_start = np.nan
    for number, loss in steps(model, optimizer, data, most_steps):
        loss_at_start = loss if number == 0 else loss_at_start
        if not np.isfinite(loss) or loss <= fitted * loss_at_start:
            return bool(np.isfinite(loss)), number
    return False, most_steps
