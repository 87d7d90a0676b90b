"""What a worker does, wherever it is: train the networks of one task on one thread."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import xarray as xr

from simulate.campaign import Campaign, Experiment, Task
from simulate.data import Data, load_data
from simulate.networks.architecture import Architecture, register
from simulate.store.provenance import DECISIVE, versions
from theory import InputError

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

    def run(self, task: Task, data: Data | None = None) -> xr.Dataset:
        """Train a task's networks; ``data`` are read here if they are not given.

        Raises
        ------
        InputError
            If this worker's packages, device or data are not those of the run.
        """
        _check_versions(self.versions)
        check_device(self.device)
        for architecture in self.architectures:
            register(architecture)
        experiment = self.campaign.find(task.experiment)
        if data is None:
            data = _cached_data(experiment, self.data_root)
        if data.sha256 != self.sha256[experiment.name]:
            problem = f"a worker finds other data for {experiment.name} there"
            raise InputError("data_root", self.data_root, problem, "Give all workers the same data")
        with one_thread_on(self.device, self.threads):
            return self.compute(experiment, task, data, device=self.device)


def _check_versions(wanted: Mapping[str, str | None]) -> None:
    here = versions()
    for name in DECISIVE:
        if here[name] != wanted[name]:
            raise InputError(
                "scheduler",
                f"{name} {here[name]}",
                f"a worker has this version and the run has {wanted[name]}: results would depend on who computes them",
                "Install the same versions everywhere",
            )


@functools.lru_cache(maxsize=8)
def _cached_data(experiment: Experiment, root: str | None) -> Data:
    return load_data(experiment, root)


@functools.cache
def check_device(device: str) -> None:
    """Raise `InputError` if torch can't use the device here."""
    remedy = "Use cpu, or cuda where torch finds a GPU"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError("device", device, f"torch can't use it ({reason})", remedy) from None


@contextmanager
def one_thread_on(device: str, threads: int = 1):
    """Let torch use so many threads on a CPU; one, so that last bits do not depend on how many cores there are."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
