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
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from lazyrich.errors import InputError
from lazyrich.wording import counted
from simulate.campaign.campaign import Campaign
from simulate.data import load_data
from simulate.measure.engine import run_task
from simulate.measure.network_batch import build_network
from simulate.networks.registry import user_architectures
from simulate.networks.soundness import check_architecture
from simulate.planning.tasks import Task, task_cost
from simulate.running.devices import check_device, run_devices
from simulate.running.job import Compute, Job
from simulate.running.workers import ATTEMPTS, Done, Notify, in_processes, in_this_process
from simulate.store import Store, exclusive_lock
from simulate.store.extend import extend, finish_extension
from simulate.store.provenance import commit, machine, now, usable_cores, versions
from simulate.training.status import Status
from theory.activation import Activation


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
    for experiment in campaign.experiment:
        Activation(experiment.activation)  # a function that has not been loaded is refused before anything is written
    root = str(data_root or os.environ.get("LAZYRICH_DATA") or "") or None
    data = {e.name: load_data(e, root, download=download) for e in campaign.experiment}
    for e in campaign.experiment:
        check_architecture(build_network(e, data[e.name], min(e.widths)))
    sha256 = {name: d.sha256 for name, d in data.items()}
    finish_extension(store)
    with exclusive_lock(store):
        networks_kept = extend(store, campaign, data) if grow else 0
    notify: Notify = say or (lambda _: None)
    if networks_kept:
        notify(f"extended: {counted(networks_kept, 'network')} kept")
    with exclusive_lock(store):
        opened = Store.create(store, campaign, data, device)
        opened.check_layout()
        opened.check_data(data)
        tasks = opened.pending()
        finished_in_part = (
            {t: done for t in tasks if (done := opened.finished_networks(t)).any()} if opened.was_extended else {}
        )
        stored_campaign = opened.campaign_with_stored_integrators()
        job = Job(
            stored_campaign, device, root, compute, sha256, versions(), threads, user_architectures(), finished_in_part
        )
        lost: tuple[Task, ...] = ()
        if tasks:
            begun: set[Task] = set()
            if scheduler is not None:
                from simulate.running.cluster import on_cluster  # a second to import

                source = on_cluster(job, tasks, scheduler, begun, notify)
            elif workers == 1 or len(tasks) == 1:
                source = in_this_process(job, tasks, data, begun)
            else:
                devices = tuple(itertools.islice(itertools.cycle(run_devices(device)), min(workers, len(tasks))))
                source = in_processes(job, tasks, devices, begun, notify)
            workers_recorded = workers if scheduler is None else "cluster"
            with _recorded(opened, device=device, workers=workers_recorded, threads=threads):
                lost = _collect(opened, source, begun, _Reporter(campaign, tasks, progress))
    result = RunResult(opened, opened.counts(), lost)
    if lost and say is None:
        warnings.warn(_lost_sentence(result), RuntimeWarning, stacklevel=2)
    return result


def _lost_sentence(result: RunResult) -> str:
    """Return the sentence about the networks that a run did not train."""
    pending = sum(counts.get(Status.PENDING, 0) for counts in result.counts.values())
    return (
        f"{counted(pending, 'network')} in {counted(len(result.lost), 'task')} could not be trained: "
        f"the processes that tried died {ATTEMPTS} "
        "times (out of memory, or killed). They stay pending; run again to try again"
    )


def _collect(store: Store, source: Iterator[Done], begun: set[Task], report: _Reporter) -> tuple[Task, ...]:
    """Write what comes from the workers; return the tasks that they could not finish."""
    lost = []
    try:
        report.start(store.counts())
        with closing(source):  # type: ignore[type-var]  # generators close; tasks in flight are dropped then
            for done in source:
                if done.result is None:
                    lost.append(done.task)
                else:
                    store.write(done.task, done.result)
                    report.done(done.task, _statuses(done.result))
                begun.discard(done.task)
    except KeyboardInterrupt:
        raise Interrupted(tuple(sorted(begun, key=lambda t: (t.experiment, t.index, t.seed_start)))) from None
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


def _statuses(result: xr.Dataset) -> dict[Status, int]:
    values = result["status"].values.ravel()
    return {status: int((values == status).sum()) for status in Status if (values == status).any()}


class _Reporter:
    """Counts networks and estimates the time left from the cost model and the time spent."""

    def __init__(self, campaign: Campaign, tasks: tuple[Task, ...], callback) -> None:
        self.campaign = campaign
        self.callback = callback
        self.cost_left = sum(task_cost(self.campaign, t) for t in tasks)
        self.cost_done = 0.0
        self.finished = self.failed = 0
        self.started = time.monotonic()

    def start(self, counts: dict[str, dict[Status, int]]) -> None:
        for of_experiment in counts.values():
            self._count(of_experiment)
        self._call_back(None)

    def done(self, task: Task, statuses: dict[Status, int]) -> None:
        self._count(statuses)
        cost = task_cost(self.campaign, task)
        self.cost_done += cost
        self.cost_left -= cost
        self._call_back(task)

    def _count(self, statuses: dict[Status, int]) -> None:
        for status, number in statuses.items():
            if status != Status.PENDING:
                self.finished += number
                self.failed += number if status != Status.CONVERGED else 0

    def _call_back(self, task: Task | None) -> None:
        if self.callback is None:
            return
        seconds = time.monotonic() - self.started
        left = seconds * self.cost_left / self.cost_done if self.cost_done else None
        span = None
        if task is not None:
            amplitudes = self.campaign.find(task.experiment).root_h_alphas(task.width)
            span = (float(amplitudes.min()), float(amplitudes.max()))
        self.callback(Progress(self.campaign.size, self.finished, self.failed, task, seconds, left, span))


#: processes and threads of one run: more of them are a slip of the pen
MOST_PROCESSES = MOST_THREADS = 4096


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
