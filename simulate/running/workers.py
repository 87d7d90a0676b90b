"""Tasks computed on this machine, by this process or by several: results are handed over as they come."""

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

ATTEMPTS = 3  #: of a task whose workers die: after so many, the task is more likely the cause than the machine

MOST_DEATHS = 9  #: of processes in a row: after so many, the machine is more likely the cause than a task

#: On Linux workers are forked from a server that has imported torch without using it: torch starts its threads, which
#: do not survive a fork, with its first product. The server is started once, so that only the first pool waits for
#: imports, and workers share their memory. On other systems libraries start threads when they are imported.
_START = "forkserver" if sys.platform == "linux" else "spawn"

Notify = Callable[[str], None]  #: takes a sentence that a person should read


@dataclass(frozen=True)
class TaskResult:
    """A task and its result; None if its workers died, ``ATTEMPTS`` times in a row."""

    task: Task
    result: xr.Dataset | None


def in_this_process(
    job: Job, tasks: tuple[Task, ...], data: Mapping[str, Data], in_flight: set[Task]
) -> Iterator[TaskResult]:
    """Compute one group of tasks after the other, in this process.

    Tasks are added to ``in_flight`` as they begin; who receives their results takes them out.
    """
    for group in job.groups(tasks):
        in_flight.update(group)
        for task, result in job.run_together(group, data[group[0].experiment]):
            yield TaskResult(task, result)


@dataclass
class _Deaths:
    """How many worker processes died since a task was finished."""

    in_a_row: int = 0

    @property
    def too_many(self) -> bool:
        """Whether the fault is the machine's, and not a task's."""
        return self.in_a_row >= MOST_DEATHS


def in_processes(
    job: Job, tasks: tuple[Task, ...], devices: Sequence[str], in_flight: set[Task], notify: Notify
) -> Iterator[TaskResult]:
    """Compute tasks side by side in processes, one for each of ``devices``; see `in_this_process` for ``in_flight``.

    Processes that die are replaced, and their tasks tried again. If `MOST_DEATHS` processes die in a row and no task is
    finished meanwhile, all remaining tasks are given up.
    """
    queue = deque(job.groups(tasks, len(set(devices))))
    deaths = _Deaths()
    while queue:
        suspects = yield from _through_pool(job, queue, devices, in_flight, deaths)
        if suspects:
            notify(
                f"a worker process died (killed, or out of memory): {counted(len(suspects), 'task')} to be tried again"
            )
        for task in suspects:
            # alone, so that a task that kills its worker takes no other with it
            for _ in range(1, ATTEMPTS):
                if not deaths.too_many and not (
                    yield from _through_pool(job, deque([(task,)]), devices[:1], in_flight, deaths)
                ):
                    break
            else:
                yield TaskResult(task, None)
        if deaths.too_many:
            remaining = list(itertools.chain.from_iterable(queue))
            notify(f"{deaths.in_a_row} worker processes died and no task was done: {len(remaining)} more are not tried")
            queue.clear()
            for task in remaining:
                yield TaskResult(task, None)


def _through_pool(
    job: Job, queue: deque[tuple[Task, ...]], devices: Sequence[str], in_flight: set[Task], deaths: _Deaths
) -> Generator[TaskResult, None, list[Task]]:
    """Send groups of tasks through a pool of processes until one of them dies.

    Returns
    -------
    list of Task
        What the pool held when the process died; empty if none did.
    """
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
        while queue or running:
            # no more than keeps the processes busy: a result that waits to be written takes memory
            while queue and len(running) < 2 * len(devices):
                with _main_module_left_out():
                    running[executor.submit(_run_group, queue[0])] = queue[0]
                in_flight.update(queue.popleft())
            finished = wait(running, return_when=FIRST_COMPLETED).done
            for future in finished:
                if not isinstance(future.exception(), BrokenProcessPool):
                    deaths.in_a_row = 0
                    for task, result in zip(running.pop(future), future.result(), strict=True):
                        yield TaskResult(task, result)
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


_job: Job  #: of this process, if it is a worker


def _start_worker(job_bytes: bytes, environment: dict[str, str], idle_devices: SimpleQueue[str]) -> None:
    global _job
    os.environ.clear()  # it is that of the moment at which the fork server was started
    os.environ.update(environment)
    _job = replace(cloudpickle.loads(job_bytes), device=idle_devices.get())
    torch.set_num_threads(_job.threads)
    follow_parent()


def _run_group(group: tuple[Task, ...]) -> list[xr.Dataset]:
    results = dict(_job.run_together(group))
    return [results[task] for task in group]
