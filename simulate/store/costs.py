"""What the networks of a store have cost."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from simulate.campaign.campaign import Campaign
from simulate.planning.operations import operations
from simulate.training.status import Status


@dataclass(frozen=True)
class Cost:
    """Passes forward and back over the training set, floating point operations (estimated), seconds of workers."""

    gradient_evaluations: int
    flops: float
    seconds: float


def cost_of(campaign: Campaign, tree: xr.DataTree) -> Cost:
    """Return what the finished networks cost: gradients, operations by the cost model, time as it was measured."""
    gradients, flops, seconds = 0, 0.0, 0.0
    for experiment in campaign.experiment:
        data = tree[experiment.name].to_dataset()
        done = data["status"] != Status.PENDING
        gradients += int(data["gradient_evaluations"].where(done, 0).sum())
        networks = done.sum(["seed", experiment.amplitude]).values
        flops += sum(n * operations(experiment, h) for n, h in zip(networks, experiment.widths, strict=True))
        seconds += float(data["wall_time"].where(done, 0.0).sum())
    return Cost(gradients, float(flops), seconds)
