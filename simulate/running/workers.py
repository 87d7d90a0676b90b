"""Who computes on this machine: this process, or several beside it. Both hand over tasks as they are done."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from types import ModuleType

import cloudpickle
import torch
import xarray as xr

from lazyrich.wording import counted
from simulate.data import Data
from simulate.planning.tasks import Task
from simulate.running.job import Job
from simulate.running.parent_watch import follow_parent

ATTEMPTS = 3  # a task whose worker dies is tried this often: the next death is more likely its own doing

MOST_DEATHS = 9  #: of processes in a row, after which the fault is taken for the machine's

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Done:
    """A task and what came of it: None if its workers died, ``ATTEMPTS`` times in a row."""

    task: Task
    result: xr.Dataset | None


def in_this_process(job: Job, tasks: tuple[Task, ...], data: Mapping[str, Data], begun: set[Task]) -> Iterator[Done]:
    """One group of tasks after the other. ``begun`` is told which tasks have been handed to a worker."""
    for group in job.groups(tasks):
        begun.update(group)
        for task, result in job.run_together(group, data[group[0].experiment]):
            yield Done(task, result)


@dataclass
class _Deaths:
    """How many worker processes died since a task was done."""

    in_a_row: int = 0

    @property
    def too_many(self) -> bool:
        """Whether the fault is the machine's, and not a task's."""
        return self.in_a_row >= MOST_DEATHS


def in_processes(
    job: Job, tasks: tuple[Task, ...], devices: Sequence[str], begun: set[Task], notify: Notify
) -> Iterator[Done]:
    """Side by side in processes, one for each of ``devices``; those that die are replaced.

    The tasks that they had are tried again. Where `MOST_DEATHS` of them die one after the other and no task is done,
    all tasks that are left are given up.
    """
    waiting = deque(job.groups(tasks, len(set(devices))))
    deaths = _Deaths()
    while waiting:
        suspects = yield from _through_pool(job, waiting, devices, begun, deaths)
        if suspects:
            notify(
                f"a worker process died (killed, or out of memory): {counted(len(suspects), 'task')} to be tried again"
            )
        for task in suspects:
            # alone, so that a task that kills its worker takes no other with it
            for _ in range(1, ATTEMPTS):
                if not deaths.too_many and not (
                    yield from _through_pool(job, deque([(task,)]), devices[:1], begun, deaths)
                ):
                    break
            else:
                yield Done(task, None)
        if deaths.too_many:
            remaining = list(itertools.chain.from_iterable(waiting))
            notify(f"{deaths.in_a_row} worker processes died and no task was done: {len(remaining)} more are not tried")
            waiting.clear()
            for task in remaining:
                yield Done(task, None)


def _through_pool(
    job: Job, waiting: deque[tuple[Task, ...]], devices: Sequence[str], begun: set[Task], deaths: _Deaths
) -> Generator[Done, None, list[Task]]:
    """Send groups of tasks through a pool; return the tasks that were in it when one of its processes died."""
    context = multiprocessing.get_context(_START)
    if _START == "forkserver":
        context.set_forkserver_preload([__name__])
    idle_devices = context.SimpleQueue()  # devices without a process
    for device in devices:
        idle_devices.put(device)
    # by value where the caller's script or notebook defines a part of it: its main module is not imported by workers
    job_bytes = cloudpickle.dumps(job)
    executor = ProcessPoolExecutor(
        len(devices),
        mp_context=context,
        initializer=_start_worker,
        initargs=(job_bytes, dict(os.environ), idle_devices),
    )
    running: dict[Future, tuple[Task, ...]] = {}
    try:
        while waiting or running:
            # no more than keeps them busy: a result that waits to be written takes memory
            while waiting and len(running) < 2 * len(devices):
                with _main_module_left_out():
                    running[executor.submit(_run_group, waiting[0])] = waiting[0]
                begun.update(waiting.popleft())
            finished = wait(running, return_when=FIRST_COMPLETED).done
            for future in finished:
                if not isinstance(future.exception(), BrokenProcessPool):
                    deaths.in_a_row = 0
                    for task, result in zip(running.pop(future), future.result(), strict=True):
                        yield Done(task, result)
            if any(future in running for future in finished):
                deaths.in_a_row += 1
                return list(itertools.chain.from_iterable(running.values()))
        executor.shutdown()
        return []
    except BrokenProcessPool:  # a process died before it got a task
        deaths.in_a_row += 1
        return list(itertools.chain.from_iterable(running.values()))
    finally:
        processes = list((executor._processes or {}).values())
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()


@contextmanager
def _main_module_left_out() -> Iterator[None]:
    """Start processes that do not import the caller's ``__main__``.

    By default a spawned process runs the calling script again, up to its ``if __name__ == "__main__"``; a script
    without that line would start a run of its own in every worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


#: workers are forked from a process that has imported torch and has not used it: threads, which do not survive a fork,
#: begin with its first product. It is started once, so that only the first pool waits for imports, and their memory is
#: shared. Elsewhere libraries of the system start threads when they are imported
_START = "forkserver" if sys.platform == "linux" else "spawn"
_job: Job


def _start_worker(job_bytes: bytes, environment: dict[str, str], idle_devices: SimpleQueue[str]) -> None:
    global _job
    os.environ.clear()  # that of the time when the server of forks was started
    os.environ.update(environment)
    _job = replace(cloudpickle.loads(job_bytes), device=idle_devices.get())
    torch.set_num_threads(_job.threads)
    follow_parent()


def _run_group(group: tuple[Task, ...]) -> list[xr.Dataset]:
    results = dict(_job.run_together(group))
    return [results[task] for task in group]
