"""The loss after training against the learning rate, at several widths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.loading import USER_CODE_ERRORS, Make, build
from simulate.audit.sizes import check_seeds, check_sizes, size_seed
from simulate.audit.training import MakeOptimizer, TrainingData, make_optimizer, train

#: trains a model at a rate and returns its loss; the seed is for the order of data and the like
Train = Callable[[nn.Module, float, int], float]


def built_in_training(optimizer: str | MakeOptimizer, data: TrainingData, steps: int) -> Train:
    """Return a function that trains by full-batch steps on ``data``."""

    def run(model: nn.Module, rate: float, seed: int) -> float:
        return train(model, make_optimizer(optimizer, model, rate), data, steps)

    return run


def losses(
    make: Make,
    widths: Sequence[int],
    rates: Sequence[float],
    run: Train,
    *,
    seeds: int = 4,
    report: Callable[[float], None] | None = None,
) -> xr.DataArray:
    """Train ``make(width)`` at every width, seed and rate; return the losses (size, seed, rate).

    All rates start from the same initial weights. Infinity where training diverged.
    """
    widths = check_sizes(widths)
    check_seeds(seeds, 1)
    if len(set(rates)) < 5 or not all(0 < rate < math.inf for rate in rates):
        raise InputError(
            "rates", list(rates), "a minimum needs five positive rates", "Give a dozen, each twice the last"
        )
    values = np.empty((len(widths), seeds, len(rates)))
    for (i, k, j), _ in np.ndenumerate(values):
        # every model is made anew: training may leave anything behind
        model = build(make, widths[i], seed=size_seed(widths[i], k))
        loss = trained_loss(run, model, float(rates[j]), k)
        values[i, k, j] = loss if math.isfinite(loss) else math.inf
        if report is not None:
            report((np.ravel_multi_index((i, k, j), values.shape) + 1) / values.size)
    return xr.DataArray(
        values, dims=("size", "seed", "rate"), coords={"size": list(widths), "rate": list(rates)}, name="loss"
    )


def trained_loss(run: Train, model: nn.Module, rate: float, seed: int) -> float:
    """Train by ``run`` and return its loss; what goes wrong in a user's function is named as such."""
    try:
        return float(run(model, rate, seed))
    except InputError:
        raise
    except USER_CODE_ERRORS as error:
        problem = f"it raised {type(error).__name__}: {error}"
        raise InputError("train", getattr(run, "__name__", "train"), problem, "Correct the function") from error
