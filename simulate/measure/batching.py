"""Which networks are trained together: a task is a chunk of the store, a batch is what the device holds at once.

On a CPU a batch is a part of a task, what its cache holds. On a GPU it is many tasks of one experiment and width, as
many as its free memory holds: a step of few networks takes as long as one of many. Networks that finish make room for
others (`simulate.training.waiting`), so that a few batches' worth of networks are handed over together. Results do not
depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lazyrich.chunking import chunk_size
from simulate.campaign.dynamics import Flow, Momentum
from simulate.measure.memory import free_memory
from simulate.measure.schema import observers_of
from simulate.planning.memory import networks_at_once, networks_that_fit

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.planning.tasks import Task


#: batches' worth of networks that are handed over together. The slowest takes two to three times the mean number of
#: steps: three of them drain once in the time of about four batches, where each alone would take that of two
BATCHES_TOGETHER = 3


def batches_together(experiment: Experiment) -> int:
    """Return how many batches' worth of networks take turns; 1 where all step alike, or share a time limit."""
    each_at_its_own_time = isinstance(experiment.dynamics, Flow | Momentum)
    whole = any(observer.looks_at_all for observer in observers_of(experiment))
    return BATCHES_TOGETHER if each_at_its_own_time and not whole and experiment.time_limit is None else 1


def batch_limit(experiment: Experiment, width: int, device: str) -> int | None:
    """Return how many networks a batch has at most on this device; None for no limit."""
    if device.startswith("cuda"):
        return networks_that_fit(experiment, width, free_memory(device))
    return networks_at_once(experiment, width, device)


def networks_of_tasks(experiment: Experiment, width: int, device: str) -> int:
    """Return how many networks tasks may have that are trained together; on a CPU one, so that each task is alone."""
    if not device.startswith("cuda"):
        return 1
    return batches_together(experiment) * networks_that_fit(experiment, width, free_memory(device))


def tasks_together(experiment: Experiment, tasks: Sequence[Task], device: str) -> Iterator[tuple[Task, ...]]:
    """Cut ``tasks`` of one experiment into groups that are trained together: of one width, in the order given."""
    remaining = list(tasks)
    while remaining:
        group = first_group(experiment, remaining, device)
        yield group
        remaining = [task for task in remaining if task not in group]


def first_group(experiment: Experiment, tasks: Sequence[Task], device: str, devices: int = 1) -> tuple[Task, ...]:
    """Return the first of ``tasks`` of an experiment with those that are trained together with it.

    They are as many tasks of its width as fit in the memory that is free now, and no more than one of so many
    ``devices``' share.
    """
    alike = [task for task in tasks if task.width == tasks[0].width]
    networks = len(experiment.amplitudes) * max(task.seed_count for task in alike)
    fitting = max(1, networks_of_tasks(experiment, tasks[0].width, device) // networks)
    share = -(-len(alike) // devices)
    return tuple(alike[: chunk_size(len(alike), min(fitting, share))])
