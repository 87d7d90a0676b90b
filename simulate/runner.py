"""Run a campaign into a store: pending tasks, side by side, each finished one on disk before it is reported.

Tasks go to a ``concurrent.futures`` executor; a worker trains a task's networks on one thread, so that results do not
depend on how many there are, and writes them itself. Interrupted, a run drops the tasks in flight and keeps the rest.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import xarray as xr

from simulate.campaign import Campaign, Experiment, Task
from simulate.data import Data, load_data
from simulate.engine import run_task
from simulate.schema import Status
from simulate.store import Store
from theory import InputError

Compute = Callable[..., xr.Dataset]


@dataclass(frozen=True)
class Progress:
    """How far a run is. ``seconds_left`` is None before the first task is done."""

    networks: int
    finished: int
    failed: int
    task: Task | None
    seconds: float
    seconds_left: float | None


@dataclass(frozen=True)
class Outcome:
    """What a run left: the store, and how many networks of each experiment ended how."""

    store: Store
    counts: dict[str, dict[Status, int]]

    @property
    def failed_numerics(self) -> int:
        """Networks that ended diverged, out of memory or at the time limit."""
        bad = (Status.DIVERGED, Status.OUT_OF_MEMORY, Status.TIME_LIMIT)
        return sum(counts.get(status, 0) for counts in self.counts.values() for status in bad)


def run(
    campaign: Campaign,
    store: str | Path,
    *,
    device: str = "cpu",
    workers: int | None = None,
    data_root: str | Path | None = None,
    download: bool = False,
    progress: Callable[[Progress], None] | None = None,
    compute: Compute = run_task,
) -> Outcome:
    """Simulate what is still pending of a campaign, into the store at ``store``.

    Parameters
    ----------
    device : str
        A torch device: "cpu", "cuda", "cuda:1".
    workers : int, optional
        Processes; default one per core on a CPU, one on a GPU. Results do not depend on it.
    progress : callable, optional
        Called with a `Progress` at the start and after each task.
    compute : callable
        What trains a task; `simulate.engine.run_task`.

    Raises
    ------
    InputError
        If the data, the device or the store can't be used; nothing is written then.
    StoreError
        If the storage fails during the run, or another run holds the store.
    """
    _check_device(device)
    workers = _worker_count(workers, device)
    data = {e.name: load_data(e, data_root, download=download) for e in campaign.experiment}
    opened = Store.create(store, campaign, data, device)
    with opened.locked():
        tasks = opened.pending()
        report = _Reporter(campaign, tasks, progress)
        if tasks:
            report.start(opened.counts())
            root = str(data_root) if data_root is not None else None
            if workers == 1 or len(tasks) == 1:
                with _one_thread_on(device):
                    for task in tasks:
                        experiment = campaign.find(task.experiment)
                        result = compute(experiment, task, data[task.experiment], device=device)
                        opened.write(task, result)
                        report.done(task, _statuses(result))
            else:
                _run_in_processes(opened, tasks, min(workers, len(tasks)), device, root, compute, report)
    return Outcome(opened, opened.counts())


def _run_in_processes(
    store: Store,
    tasks: tuple[Task, ...],
    workers: int,
    device: str,
    root: str | None,
    compute: Compute,
    report: _Reporter,
) -> None:
    # spawned, not forked: torch's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        _drain(executor, store, tasks, device, root, compute, report)
        executor.shutdown()
    except BaseException:
        # tasks in flight are dropped: their status was not written, so they stay pending
        processes = list((executor._processes or {}).values())
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise


def _drain(executor: Executor, store: Store, tasks, device, root, compute, report: _Reporter) -> None:
    running: dict[Future, Task] = {
        executor.submit(_work, str(store.path), store.campaign.find(t.experiment), t, device, root, compute): t
        for t in tasks
    }
    while running:
        for future in wait(running, return_when="FIRST_COMPLETED").done:
            report.done(running.pop(future), future.result())


def _work(path: str, experiment: Experiment, task: Task, device: str, root: str | None, compute: Compute) -> dict:
    result = compute(experiment, task, _cached_data(experiment, root), device=device)
    _cached_store(path).write(task, result)
    return _statuses(result)


@functools.lru_cache(maxsize=8)
def _cached_data(experiment: Experiment, root: str | None) -> Data:
    return load_data(experiment, root)


@functools.lru_cache(maxsize=8)
def _cached_store(path: str) -> Store:
    return Store.open(path)


def _start_worker() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides


@contextmanager
def _one_thread_on(device: str):
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _statuses(result: xr.Dataset) -> dict[Status, int]:
    values = result["status"].values.ravel()
    return {status: int((values == status).sum()) for status in Status if (values == status).any()}


class _Reporter:
    """Counts networks and estimates the time left from the cost model and the time spent."""

    def __init__(self, campaign: Campaign, tasks: tuple[Task, ...], callback) -> None:
        self.campaign = campaign
        self.callback = callback
        self.cost_left = sum(self._cost(t) for t in tasks)
        self.cost_done = 0.0
        self.finished = self.failed = 0
        self.started = time.monotonic()

    def start(self, counts: dict[str, dict[Status, int]]) -> None:
        for of_experiment in counts.values():
            self._count(of_experiment)
        self._tell(None)

    def done(self, task: Task, statuses: dict[Status, int]) -> None:
        self._count(statuses)
        cost = self._cost(task)
        self.cost_done += cost
        self.cost_left -= cost
        self._tell(task)

    def _count(self, statuses: dict[Status, int]) -> None:
        for status, number in statuses.items():
            if status != Status.PENDING:
                self.finished += number
                self.failed += number if status != Status.CONVERGED else 0

    def _cost(self, task: Task) -> float:
        experiment = self.campaign.find(task.experiment)
        return len(experiment.amplitudes) * (task.seed_stop - task.seed_start) * experiment.cost(task.width)

    def _tell(self, task: Task | None) -> None:
        if self.callback is None:
            return
        seconds = time.monotonic() - self.started
        left = seconds * self.cost_left / self.cost_done if self.cost_done else None
        self.callback(Progress(self.campaign.size, self.finished, self.failed, task, seconds, left))


@contextmanager
def termination_interrupts():
    """Let SIGTERM end a run as Ctrl-C does: cleanly, by a KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_device(device: str) -> None:
    remedy = "Use cpu, or cuda where torch finds a GPU"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError("device", device, f"torch can't use it ({reason})", remedy) from None


def _worker_count(workers: int | None, device: str) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0)) if device == "cpu" else 1
    if workers < 1:
        raise InputError("workers", workers, "at least one process is needed", "Give 1 or more")
    return workers
