"""Tasks computed by the workers of an existing Dask cluster, named by its scheduler's address or file.

The tasks are those of one machine, and their results come back to the process that holds the store. The scheduler
replaces workers that die. If it dies itself it is waited for, and unfinished tasks are sent to the next one.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import xarray as xr
from distributed import Client, Future, as_completed
from distributed.scheduler import KilledWorker

from lazyrich.errors import InputError
from lazyrich.wording import counted
from simulate.planning.tasks import Task
from simulate.running.job import Job
from simulate.running.workers import Notify, TaskResult
from simulate.store.backend import StoreError

PATIENCE = 600.0  # seconds that a lost scheduler is waited for
_TIMEOUT = 10.0  # seconds for a connection
_QUEUED_AHEAD = 32  # tasks sent beyond two for each thread of the cluster


class _SchedulerLost(Exception):
    """The connection is gone, and with it all that the scheduler knew."""


def on_cluster(
    job: Job, tasks: tuple[Task, ...], scheduler: str, in_flight: set[Task], notify: Notify, patience: float = PATIENCE
) -> Iterator[TaskResult]:
    """Compute tasks on the cluster of ``scheduler`` ("tcp://host:8786", or the file that ``dask scheduler`` wrote).

    Raises
    ------
    InputError
        If there is no such scheduler, or a worker has other packages, no such device or other data.
    StoreError
        If the scheduler is lost and not back within ``patience`` seconds.
    """
    remaining = dict.fromkeys(tasks)
    client = _first_connection(scheduler)
    while remaining:
        with _closed_quietly(client):
            try:
                with closing(_results(client, job, deque(remaining), in_flight, notify)) as results:
                    for result in results:
                        del remaining[result.task]
                        yield result
            except _SchedulerLost:
                notify(f"the scheduler {scheduler} is gone: waiting for it, {counted(len(remaining), 'task')} left")
        if remaining:
            client = _next_connection(scheduler, patience)


def _results(
    client: Client, job: Job, queue: deque[Task], in_flight: set[Task], notify: Notify
) -> Generator[TaskResult, None, None]:
    """Keep the cluster busy and hand over what comes back."""
    # a worker offers as many GPUs as were declared when it was started (--resources GPU=1)
    resources = {"GPU": 1} if job.device.startswith("cuda") else None
    if not _has_worker_with(client, resources):
        notify("no worker" + (" with a GPU (dask worker --resources GPU=1)" if resources else "") + " yet: waiting")
    running: dict[Future, Task] = {}

    def send() -> list[Future]:
        # no more than keeps the workers busy: results that wait to be written take their memory
        limit = 2 * sum(client.nthreads().values()) + _QUEUED_AHEAD
        futures = []
        while queue and len(running) < limit:
            task = queue.popleft()
            in_flight.add(task)
            # a name for Dask's dashboard; results are not shared with another run
            key = f"{task.experiment}-h{task.width}-{uuid.uuid4().hex[:12]}"
            future = client.submit(_run_task, job, task, key=key, resources=resources, pure=False)
            running[future] = task
            futures.append(future)
        return futures

    try:
        completed = as_completed(send(), loop=client.loop)
        for batch in completed.batches():
            finished = [future for future in batch if future.status == "finished"]
            results = dict(zip(finished, client.gather(finished), strict=True))
            for future in batch:
                yield TaskResult(running[future], results[future] if future in results else _failure(future))
                del running[future]
            completed.update(send())
    except OSError as error:  # the connection broke while something was asked
        raise _SchedulerLost from error
    finally:
        if client.status == "running":
            client.cancel(list(running))


def _failure(future: Future) -> xr.Dataset | None:
    """Return None, the result of a task whose workers died; raise what the task raised.

    Raises
    ------
    _SchedulerLost
        If it was not the task that failed.
    InputError
        If the cluster lacks a module.
    """
    if future.status != "error":
        raise _SchedulerLost
    error = future.exception()
    if isinstance(error, KilledWorker):
        return None
    missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
    if isinstance(missing, ModuleNotFoundError):
        remedy = "Install the same packages for scheduler, workers and this command"
        raise InputError("scheduler", missing.name, "the cluster can't import this module", remedy) from error
    raise error


def _run_task(job: Job, task: Task) -> xr.Dataset:
    return job.run(task)


def _has_worker_with(client: Client, resources: dict[str, int] | None) -> bool:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return any(all(w["resources"].get(k, 0) >= v for k, v in (resources or {}).items()) for w in workers)


def _first_connection(scheduler: str) -> Client:
    if not Path(scheduler).is_file() and not re.search(r"://|:\d+$", scheduler):
        raise InputError(
            "scheduler",
            scheduler,
            "is neither an address nor a file",
            "Give the address that dask scheduler prints, or its --scheduler-file",
        )
    try:
        return _connect(scheduler)
    except (OSError, ValueError) as error:
        raise InputError(
            "scheduler", scheduler, f"does not answer ({_first_line(error)})", "Start it, or correct the address"
        ) from None


def _next_connection(scheduler: str, patience: float) -> Client:
    deadline = time.monotonic() + patience
    while True:
        try:
            return _connect(scheduler)
        except Exception:  # whatever a scheduler on its way up or down answers, and a file that is being written
            if time.monotonic() > deadline:
                raise StoreError(
                    f"scheduler {scheduler}: not back after {patience:.0f} s. What was finished is kept; start it and "
                    "run the same command again."
                ) from None
            time.sleep(0.5)


def _connect(scheduler: str) -> Client:
    address = scheduler
    if Path(scheduler).is_file():
        description = json.loads(Path(scheduler).read_text(encoding="utf-8"))
        if not isinstance(description, dict) or "address" not in description:
            raise ValueError("the file names no address")
        address = description["address"]
    return Client(address, timeout=_TIMEOUT, set_as_default=False)


@contextmanager
def _closed_quietly(client: Client) -> Iterator[None]:
    """Close a client at the end, without what it logs about lost connections: messages of ours say that."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        client.close(timeout=_TIMEOUT)
        logger.setLevel(before)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
