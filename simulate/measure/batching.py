"""Which networks are trained together: a task is a chunk of the store, a batch is what the device holds at once.

On a CPU a batch is a part of a task, what its cache holds. On a GPU it is many tasks of one experiment and width, as
many as its free memory holds: a step of few networks takes as long as one of many. Networks that finish make room for
others there (`simulate.training.waiting`), so that a few batches' worth of networks are handed over together. Results
do not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lazyrich.chunking import chunk_size
from simulate.campaign.dynamics import Flow, Momentum
from simulate.measure.memory import free_memory
from simulate.measure.schema import observers_of
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.memory import networks_at_once, networks_that_fit

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.planning.tasks import Task


BATCHES_TOGETHER = 3  #: batches' worth of networks that are handed over together on a GPU


def batches_together(experiment: Experiment, device: str) -> int:
    """Return how many batches' worth of networks take turns; 1 where that is no gain, or they share a time limit.

    Of 208 small networks in 52 places, sorted by amplitude, those that take turns need 99 steps of the kernel flow and
    218,829 launches, four batches that drain 143 and 240,676. With Chebyshev's method, whose steps have the stages of
    the member that needs most, it is 335 steps and 282,227 launches against 357 and 248,735. On a CPU a step of few
    networks takes less time than one of many. Networks that are all at one step (stochastic dynamics) can't take turns.
    """
    if not device.startswith("cuda") or experiment.time_limit is not None:
        return 1
    at_their_own_times = isinstance(experiment.dynamics, Flow | Momentum) and integrator_of(experiment) != "chebyshev"
    looked_at_together = any(observer.looks_at_all for observer in observers_of(experiment))
    return BATCHES_TOGETHER if at_their_own_times and not looked_at_together else 1


def batch_limit(experiment: Experiment, width: int, device: str) -> int | None:
    """Return how many networks a batch has at most on this device; None for no limit."""
    if device.startswith("cuda"):
        return networks_that_fit(experiment, width, free_memory(device))
    return networks_at_once(experiment, width, device)


def networks_of_tasks(experiment: Experiment, width: int, device: str) -> int:
    """Return how many networks tasks may have that are trained together; on a CPU one, so that each task is alone."""
    if not device.startswith("cuda"):
        return 1
    return batches_together(experiment, device) * networks_that_fit(experiment, width, free_memory(device))


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
