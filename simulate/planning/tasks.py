"""How a campaign is cut into tasks: by a rule that sees the campaign alone, so that scheduling changes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lazyrich.chunking import chunk_size
from simulate.campaign.campaign import Campaign
from simulate.campaign.experiment import Experiment
from simulate.planning.memory import bytes_per_network
from simulate.planning.operations import task_operations

_NETWORKS_PER_TASK = 100  # one chunk of the store; fewer would make large stores slow to read
_BYTES_PER_TASK = 2**30


@dataclass(frozen=True)
class Task:
    """All amplitudes × the seeds from ``seed_start`` to below ``seed_stop`` at ``width``, the ``index``-th width."""

    experiment: str
    index: int
    width: int
    seed_start: int
    seed_stop: int

    @property
    def seed_count(self) -> int:
        """How many seeds it has."""
        return self.seed_stop - self.seed_start

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"{self.experiment}, h = {self.width}, seeds {self.seed_start}-{self.seed_stop - 1}"


def seeds_per_task(experiment: Experiment) -> int:
    """Return the number of seeds of a task, which has all amplitudes at one width: about a hundred networks that fit.

    It is the same for all widths of an experiment, since it is also the size of the store's chunks.
    """
    amplitudes = len(experiment.amplitudes)
    by_count = math.ceil(_NETWORKS_PER_TASK / amplitudes)
    by_memory = int(_BYTES_PER_TASK // (amplitudes * bytes_per_network(experiment, max(experiment.widths))))
    return chunk_size(experiment.seeds, max(1, min(by_count, by_memory)))


def experiment_tasks(experiment: Experiment, seeds: int | None = None) -> tuple[Task, ...]:
    """Cut an experiment's grid into tasks of so many ``seeds``, the largest width first."""
    block = seeds or seeds_per_task(experiment)
    return tuple(
        Task(experiment.name, index, experiment.widths[index], start, min(start + block, experiment.seeds))
        for index in reversed(range(len(experiment.widths)))
        for start in range(0, experiment.seeds, block)
    )


def campaign_tasks(campaign: Campaign, seeds: Mapping[str, int] | None = None) -> tuple[Task, ...]:
    """Return all tasks, the most expensive first, so that at the end no worker waits for a long one.

    ``seeds`` by experiment is what a store was made with; by default it follows from the campaign.
    """
    seeds = seeds or {}
    tasks = (task for e in campaign.experiment for task in experiment_tasks(e, seeds.get(e.name)))
    return tuple(sorted(tasks, key=lambda task: task_cost(campaign, task), reverse=True))


def networks_in(campaign: Campaign, task: Task) -> int:
    """Return how many networks a task has."""
    return len(campaign.find(task.experiment).amplitudes) * task.seed_count


def task_cost(campaign: Campaign, task: Task, device: str = "cpu") -> float:
    """Return the operations of a task, the time of calls counted as operations (`simulate.planning.operations`)."""
    experiment = campaign.find(task.experiment)
    return task_operations(experiment, task.width, networks_in(campaign, task), device)
