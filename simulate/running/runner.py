"""Run a campaign into a store: pending tasks, side by side, each finished one on disk before it is reported.

Workers compute and hand their results to this process, which alone writes. A worker trains a task's networks on one
thread, so that results do not depend on how many there are. Interrupted, a run drops the tasks in flight and says
which.
"""

from __future__ import annotations

import itertools
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from lazyrich.errors import InputError
from lazyrich.wording import counted
from simulate.campaign.campaign import Campaign
from simulate.data import Data, load_data
from simulate.measure.engine import run_task
from simulate.measure.network_batch import build_network
from simulate.networks.registry import user_architectures
from simulate.networks.soundness import check_architecture
from simulate.planning.tasks import Task, task_cost
from simulate.running.devices import check_device, run_devices
from simulate.running.job import Compute, Job
from simulate.running.workers import ATTEMPTS, Notify, TaskResult, in_processes, in_this_process
from simulate.store import Store, exclusive_lock
from simulate.store.extend import extend, finish_extension
from simulate.store.provenance import commit, machine, now, usable_cores, versions
from simulate.training.status import Status
from theory.activation import Activation

#: processes and threads of one run: more than any machine has, so that a typing error is told
MOST_PROCESSES = MOST_THREADS = 4096


@dataclass(frozen=True)
class Progress:
    """How far a run is. ``seconds_left`` is None before the first task is done."""

    networks: int
    finished: int
    failed: int
    task: Task | None
    seconds: float
    seconds_left: float | None
    root_h_alpha: tuple[float, float] | None = None  #: the range of A of ``task``


@dataclass(frozen=True)
class RunResult:
    """What a run left behind: the store, counts of how networks ended, and tasks whose workers died.

    ``lost`` tasks are still pending; run again, they are tried again.
    """

    store: Store
    counts: dict[str, dict[Status, int]]
    lost: tuple[Task, ...] = ()

    @property
    def failed_numerics(self) -> int:
        """Networks that ended diverged, out of memory or at the time limit."""
        bad = (Status.DIVERGED, Status.OUT_OF_MEMORY, Status.TIME_LIMIT)
        return sum(counts.get(status, 0) for counts in self.counts.values() for status in bad)


class Interrupted(KeyboardInterrupt):
    """A run was told to stop (Ctrl-C, SIGTERM); ``dropped`` are the tasks that were in flight and stay pending."""

    def __init__(self, dropped: tuple[Task, ...]) -> None:
        super().__init__(dropped)
        self.dropped = dropped

    def __str__(self) -> str:
        shown = "; ".join(task.title for task in self.dropped[:8]) + ("; …" if len(self.dropped) > 8 else "")
        dropped = (
            f"dropped {counted(len(self.dropped), 'task')} in flight ({shown})"
            if self.dropped
            else "no task was in flight"
        )
        return f"interrupted: {dropped}; what was finished is kept. Run the same command again to go on."


def run(
    campaign: Campaign,
    store: str | Path,
    *,
    device: str = "cpu",
    workers: int | None = None,
    scheduler: str | None = None,
    threads: int = 1,
    data_root: str | Path | None = None,
    download: bool = False,
    progress: Callable[[Progress], None] | None = None,
    say: Notify | None = None,
    grow: bool = False,
    compute: Compute = run_task,
) -> RunResult:
    """Simulate what is still pending of a campaign, into the store at ``store`` (a path, or a URL that fsspec knows).

    Parameters
    ----------
    device : str
        "cpu"; "cuda" for all GPUs that are visible, "cuda:1" for one.
    workers : int, optional
        Processes; default one per core on a CPU (or per ``threads`` cores), one per GPU. Results do not depend on it.
    scheduler : str, optional
        Address or file of a Dask scheduler, whose workers then compute instead; they must read the same data.
    threads : int
        Of torch in each process, on a CPU. For networks so large that one of them keeps several cores busy; the last
        bits of results depend on it, and it is recorded.
    progress : callable, optional
        Called with a `Progress` at the start and after each task.
    say : callable, optional
        Called with a sentence when something happens that a person should know (a worker died, say). Without it, a
        `RuntimeWarning` says which networks could not be trained since their processes died.
    grow : bool
        Let the campaign have more seeds, widths or amplitudes than the store; what is finished is kept.
    compute : callable
        What trains a task; `simulate.measure.engine.run_task`.

    Raises
    ------
    InputError
        If the data, the device or the store can't be used; nothing is written then.
    StoreError
        If the storage fails during the run, or another run holds the store.
    Interrupted
        On Ctrl-C, and on SIGTERM of a command; what was finished is kept.
    """
    if scheduler is None:
        check_device(device)
    workers = worker_count(workers, device, threads)
    root = str(data_root or os.environ.get("LAZYRICH_DATA") or "") or None
    data = _checked_data(campaign, root, download)
    notify: Notify = say or (lambda _: None)
    finish_extension(store)
    with exclusive_lock(store):
        networks_kept = extend(store, campaign, data) if grow else 0
    if networks_kept:
        notify(f"extended: {counted(networks_kept, 'network')} kept")
    with exclusive_lock(store):
        opened = Store.create(store, campaign, data, device)
        opened.check_layout()
        opened.check_data(data)
        tasks = opened.pending()
        lost: tuple[Task, ...] = ()
        if tasks:
            job = _job(opened, tasks, data, device=device, data_root=root, threads=threads, compute=compute)
            in_flight: set[Task] = set()
            if scheduler is None:
                results = _results_on_this_machine(job, tasks, data, workers, in_flight, notify)
            else:
                from simulate.running.cluster import on_cluster  # a second to import

                results = on_cluster(job, tasks, scheduler, in_flight, notify)
            workers_recorded = workers if scheduler is None else "cluster"
            with _recorded(opened, device=device, workers=workers_recorded, threads=threads):
                lost = _collect(opened, results, in_flight, _Reporter(campaign, tasks, progress))
    result = RunResult(opened, opened.counts(), lost)
    if lost and say is None:
        warnings.warn(_lost_sentence(result), RuntimeWarning, stacklevel=2)
    return result


def _checked_data(campaign: Campaign, root: str | None, download: bool) -> dict[str, Data]:
    """Return the data of each experiment, after checking what can be checked before anything is written.

    Raises
    ------
    InputError
        If an activation is a function that has not been loaded, data can't be read, or an architecture does not do
        what is asked of it.
    """
    for experiment in campaign.experiment:
        Activation(experiment.activation)
    data = {experiment.name: load_data(experiment, root, download=download) for experiment in campaign.experiment}
    for experiment in campaign.experiment:
        check_architecture(build_network(experiment, data[experiment.name], min(experiment.widths)))
    return data


def _job(
    store: Store,
    tasks: Sequence[Task],
    data: Mapping[str, Data],
    *,
    device: str,
    data_root: str | None,
    threads: int,
    compute: Compute,
) -> Job:
    """Return what workers must know to compute pending tasks of a store."""
    finished_in_part = {}
    if store.was_extended:
        finished_in_part = {task: done for task in tasks if (done := store.finished_networks(task)).any()}
    return Job(
        campaign=store.campaign_with_stored_integrators(),
        device=device,
        data_root=data_root,
        compute=compute,
        sha256={name: d.sha256 for name, d in data.items()},
        versions=versions(),
        threads=threads,
        architectures=user_architectures(),
        finished=finished_in_part,
    )


def _results_on_this_machine(
    job: Job,
    tasks: tuple[Task, ...],
    data: Mapping[str, Data],
    workers: int,
    in_flight: set[Task],
    notify: Notify,
) -> Iterator[TaskResult]:
    """Compute tasks in this process, or in several if there is more than one worker and more than one task."""
    if workers == 1 or len(tasks) == 1:
        return in_this_process(job, tasks, data, in_flight)
    devices = tuple(itertools.islice(itertools.cycle(run_devices(job.device)), min(workers, len(tasks))))
    return in_processes(job, tasks, devices, in_flight, notify)


def _lost_sentence(result: RunResult) -> str:
    """Return the sentence about the networks that a run did not train."""
    pending = sum(counts.get(Status.PENDING, 0) for counts in result.counts.values())
    return (
        f"{counted(pending, 'network')} in {counted(len(result.lost), 'task')} could not be trained: "
        f"the processes that tried died {ATTEMPTS} "
        "times (out of memory, or killed). They stay pending; run again to try again"
    )


def _collect(
    store: Store, results: Iterator[TaskResult], in_flight: set[Task], reporter: _Reporter
) -> tuple[Task, ...]:
    """Write what comes from the workers; return the tasks that they could not finish."""
    lost = []
    try:
        reporter.start(store.counts())
        with closing(results):  # type: ignore[type-var]  # generators close; tasks in flight are dropped then
            for computed in results:
                if computed.result is None:
                    lost.append(computed.task)
                else:
                    store.write(computed.task, computed.result)
                    reporter.add(computed.task, _counts_by_status(computed.result))
                in_flight.discard(computed.task)
    except KeyboardInterrupt:
        raise Interrupted(tuple(sorted(in_flight, key=lambda t: (t.experiment, t.index, t.seed_start)))) from None
    return tuple(lost)


@contextmanager
def _recorded(store: Store, **settings: object) -> Iterator[None]:
    """Keep a record of the run in the store: when, where, with what, and how it ended (if it was not killed)."""
    computed_with = {"versions": versions(), "commit": commit(), "machine": machine(str(settings["device"]))}
    record = {"started": now(), **computed_with, **settings}
    store.record(record)
    ended = "failed"
    try:
        yield
        ended = "done"
    except KeyboardInterrupt:
        ended = "interrupted"
        raise
    finally:
        store.record({**record, "ended": now(), "how": ended}, replace_last=True)


def _counts_by_status(result: xr.Dataset) -> dict[Status, int]:
    values = result["status"].values.ravel()
    return {status: int((values == status).sum()) for status in Status if (values == status).any()}


class _Reporter:
    """Counts networks and estimates the time left from the cost model and the time spent."""

    def __init__(
        self, campaign: Campaign, tasks: tuple[Task, ...], callback: Callable[[Progress], None] | None
    ) -> None:
        self.campaign = campaign
        self.callback = callback
        self.cost_left = sum(task_cost(self.campaign, t) for t in tasks)
        self.cost_done = 0.0
        self.finished = self.failed = 0
        self.started = time.monotonic()

    def start(self, counts_by_experiment: dict[str, dict[Status, int]]) -> None:
        """Count the networks that were finished before."""
        for counts in counts_by_experiment.values():
            self._count(counts)
        self._call_back(None)

    def add(self, task: Task, counts: dict[Status, int]) -> None:
        """Count the networks of a finished task."""
        self._count(counts)
        cost = task_cost(self.campaign, task)
        self.cost_done += cost
        self.cost_left -= cost
        self._call_back(task)

    def _count(self, counts: dict[Status, int]) -> None:
        for status, number in counts.items():
            if status != Status.PENDING:
                self.finished += number
                self.failed += number if status != Status.CONVERGED else 0

    def _call_back(self, task: Task | None) -> None:
        if self.callback is None:
            return
        seconds = time.monotonic() - self.started
        left = seconds * self.cost_left / self.cost_done if self.cost_done else None
        amplitude_range = None
        if task is not None:
            amplitudes = self.campaign.find(task.experiment).root_h_alphas(task.width)
            amplitude_range = (float(amplitudes.min()), float(amplitudes.max()))
        self.callback(Progress(self.campaign.size, self.finished, self.failed, task, seconds, left, amplitude_range))


def worker_count(workers: int | None, device: str, threads: int = 1) -> int:
    """Return how many processes a run takes.

    Raises
    ------
    InputError
        For less than one process or thread, or more than any machine has.
    """
    if not 1 <= threads <= MOST_THREADS:
        problem = "at least one thread is needed" if threads < 1 else "no machine has so many threads"
        raise InputError("threads", threads, problem, f"Give 1 to {MOST_THREADS}")
    if workers is None:
        return max(1, usable_cores() // threads) if device == "cpu" else len(run_devices(device))
    if not 1 <= workers <= MOST_PROCESSES:
        problem = "at least one process is needed" if workers < 1 else "no machine has so many cores"
        raise InputError("workers", workers, problem, f"Give 1 to {MOST_PROCESSES}")
    return workers
