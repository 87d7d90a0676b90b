"""What a worker is sent and does: train the networks of a task, on one thread if no other number is asked for."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import xarray as xr

from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign
from simulate.campaign.experiment import Experiment
from simulate.data import Data, load_data
from simulate.measure.batching import first_group
from simulate.measure.engine import run_task, train_together
from simulate.networks.architecture import Architecture
from simulate.networks.registry import register
from simulate.networks.torch_functions import require
from simulate.planning.tasks import Task
from simulate.running.devices import check_device
from simulate.store.provenance import DECISIVE, versions

Compute = Callable[..., xr.Dataset]


@dataclass(frozen=True)
class Job:
    """Everything that a worker must know, and that can be sent to it.

    ``sha256`` are the checksums of the data sets by experiment, ``versions`` of the packages that decide last bits:
    a worker that has others refuses, so that results do not depend on who computed them. ``architectures`` are the
    caller's own: sent by name, their modules are imported where the job arrives.
    """

    campaign: Campaign
    device: str
    data_root: str | None
    compute: Compute
    sha256: Mapping[str, str]
    versions: Mapping[str, str | None]
    threads: int = 1  #: of torch, in each worker
    architectures: tuple[type[Architecture], ...] = ()
    #: of tasks that are finished in part: which networks are, (amplitudes, seeds)
    finished: Mapping[Task, np.ndarray] = field(default_factory=dict)

    def run(self, task: Task, data: Data | None = None) -> xr.Dataset:
        """Train a task's networks; ``data`` are read here if they are not given.

        Raises
        ------
        InputError
            If this worker's packages, device or data are not those of the run.
        """
        experiment, data = self._prepared(task, data)
        with torch_threads(self.device, self.threads):
            if task in self.finished:
                return self._run_unfinished(experiment, task, data)
            return self.compute(experiment, task, data, device=self.device)

    def run_together(self, tasks: Sequence[Task], data: Data | None = None) -> Iterator[tuple[Task, xr.Dataset]]:
        """Train the tasks of one group (see `groups`) together; yield each with its results."""
        if len(tasks) == 1:
            yield tasks[0], self.run(tasks[0], data)
            return
        experiment, data = self._prepared(tasks[0], data)
        with torch_threads(self.device, self.threads):
            yield from train_together(experiment, tasks, data, self.device)

    def groups(self, tasks: Sequence[Task], devices: int = 1) -> Iterator[tuple[Task, ...]]:
        """Cut ``tasks`` into groups that are trained together on a device (`simulate.measure.batching`).

        The tasks of one width are shared out evenly among the ``devices``, which are of one kind. A task that is
        finished in part is a group of its own; so is every task where ``compute`` is the caller's.
        """
        remaining = list(tasks)
        while remaining:
            first = remaining[0]
            group: tuple[Task, ...] = (first,)
            if self._is_groupable(first):
                alike = [t for t in remaining if t.experiment == first.experiment and self._is_groupable(t)]
                group = first_group(self.campaign.find(first.experiment), alike, self.device, devices)
            yield group
            remaining = [task for task in remaining if task not in group]

    def _is_groupable(self, task: Task) -> bool:
        return self.compute is run_task and task not in self.finished

    def _prepared(self, task: Task, data: Data | None) -> tuple[Experiment, Data]:
        """Return the task's experiment and data, after checking that this worker has what the run needs."""
        _check_versions(self.versions)
        check_device(self.device)
        for architecture in self.architectures:
            register(architecture)
        experiment = self.campaign.find(task.experiment)
        require(experiment.activation, experiment.activation_source)
        if data is None:
            data = _cached_data(experiment, self.data_root)
        if data.sha256 != self.sha256[experiment.name]:
            problem = f"a worker has other data for {experiment.name} there"
            raise InputError("data_root", self.data_root, problem, "Give all workers the same data")
        return experiment, data

    def _run_unfinished(self, experiment: Experiment, task: Task, data: Data) -> xr.Dataset:
        """Train the networks of a task that are not finished; the others are left pending in what is returned."""
        finished = self.finished[task]
        merged: xr.Dataset | None = None
        # neighbouring seeds with the same unfinished amplitudes form a grid
        for start, stop in _ranges_of_equal_columns(finished):
            unfinished = np.flatnonzero(~finished[:, start])
            if not len(unfinished):
                continue
            grid: dict[str, Any] = {experiment.amplitude: tuple(float(a) for a in experiment.amplitudes[unfinished])}
            seeds = (task.seed_start + start, task.seed_start + stop)
            part = Task(task.experiment, task.index, task.width, *seeds)
            result = self.compute(experiment.model_copy(update=grid), part, data, device=self.device)
            if merged is None:
                merged = _zeros_like(result, finished.shape)
            for name in result.data_vars:
                merged[name].values[:, unfinished, start:stop] = result[name].values
        assert merged is not None  # a task without pending networks is not run
        return merged


def _ranges_of_equal_columns(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return (start, stop) of each range of neighbouring columns that are equal."""
    changes = np.flatnonzero((flags[:, 1:] != flags[:, :-1]).any(axis=0)) + 1
    edges = [0, *(int(c) for c in changes), flags.shape[1]]
    return list(itertools.pairwise(edges))


def _zeros_like(result: xr.Dataset, shape: tuple[int, ...]) -> xr.Dataset:
    """Return zeros for the variables of ``result`` on a grid of ``shape`` (amplitudes, seeds); status 0 is pending."""
    zeros = {n: (v.dims, np.zeros((1, *shape, *v.shape[3:]), dtype=v.dtype)) for n, v in result.data_vars.items()}
    return xr.Dataset(zeros)


def _check_versions(required: Mapping[str, str | None]) -> None:
    installed = versions()
    for name in DECISIVE:
        if installed[name] != required[name]:
            raise InputError(
                "scheduler",
                f"{name} {installed[name]}",
                f"a worker has this version and the run has {required[name]}: results would depend on "
                "who computes them",
                "Install the same versions everywhere",
            )


@functools.lru_cache(maxsize=8)
def _cached_data(experiment: Experiment, root: str | None) -> Data:
    return load_data(experiment, root)


@contextmanager
def torch_threads(device: str, threads: int = 1) -> Iterator[None]:
    """Let torch use ``threads`` threads if ``device`` is the CPU, until the block ends.

    One by default: the last bits of a result depend on the number of threads, and must not depend on the machine.
    """
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
