"""What a campaign will take, before anything starts: networks, tasks, memory, time."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import torch

from lazyrich.chunking import chunk_size
from simulate.campaign.campaign import Campaign
from simulate.campaign.experiment import Experiment
from simulate.data import load_data
from simulate.measure.engine import run_task
from simulate.planning.memory import bytes_per_network, networks_at_once
from simulate.planning.operations import task_operations
from simulate.planning.tasks import Task, campaign_tasks, experiment_tasks, networks_in, task_cost
from simulate.running.devices import check_device
from simulate.running.job import torch_threads

#: Its running time, less than a second, measures how fast this machine is.
_SAMPLE = Experiment(
    name="sample", dataset="sphere", n_train=60, n_test=40, depth=2, activation="softplus", widths=(96,),
    root_h_alpha=(1e-2, 1.0, 1e2), seeds=7, tolerance=1e-2,
)  # fmt: skip
#: The part of that speed that larger tasks reach; measured 0.5 to 1.2 on ten tasks of seven presets.
_SUSTAINED = 0.75


@dataclass(frozen=True)
class Plan:
    """The cost of a campaign on this machine."""

    networks: int
    tasks: int
    memory: float  #: GiB of the largest task, per worker
    workers: int
    seconds: float  #: estimated, with this many workers


def plan(campaign: Campaign, workers: int, device: str = "cpu", tasks: tuple[Task, ...] | None = None) -> Plan:
    """Estimate what a campaign takes, from the cost model and a short measurement on this machine.

    ``tasks`` are those that will be run, by default all. The estimate is right within a factor of two where networks
    fit in as many steps as is usual for their activation; rules that are hard to fit take more, up to ``max_steps``.
    """
    check_device(device)
    tasks = campaign_tasks(campaign) if tasks is None else tasks
    flops = [task_cost(campaign, t, device) for t in tasks]
    workers_used = max(1, min(workers, len(tasks)))
    # no sooner than the longest task, which one worker does alone
    seconds = max(sum(flops) / workers_used, max(flops, default=0.0)) / (_SUSTAINED * speed(device)) if flops else 0.0
    memory = max((_memory(campaign, t, device) for t in tasks), default=0.0)
    return Plan(campaign.size, len(tasks), memory, workers_used, seconds)


def _memory(campaign: Campaign, task: Task, device: str) -> float:
    """Return the GiB that a task takes with as many networks at once as the device holds."""
    experiment = campaign.find(task.experiment)
    batch_limit, seeds = networks_at_once(experiment, task.width, device), task.seed_stop - task.seed_start
    at_once = chunk_size(networks_in(campaign, task), batch_limit, seeds)
    return at_once * bytes_per_network(experiment, task.width) / 2**30


@functools.cache
def speed(device: str = "cpu") -> float:
    """Return the operations per second that the engine reaches on a small batch, by the same cost model.

    On a CPU its own time counts, so that what else runs at the moment does not slow the estimate.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    data = load_data(_SAMPLE)
    (task,) = experiment_tasks(_SAMPLE)
    with torch_threads(device):
        run_task(_SAMPLE, task, data, device=device)  # what is loaded and compiled at first use is not counted
        started = clock()
        run_task(_SAMPLE, task, data, device=device)
        if device != "cpu":
            torch.cuda.synchronize(device)
    return task_operations(_SAMPLE, _SAMPLE.widths[0], _SAMPLE.size, device) / (clock() - started)
