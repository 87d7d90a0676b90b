"""Reports are made by this process and others beside it."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Protocol, TypeVar

from simulate.running.parent_watch import follow_parent

#: Networks from which another process is worth its start, about two seconds of imports, where it can't be forked.
WORTH_IT = 20_000
#: Processes beside this one: a report has few experiments.
MOST = 7

Item = TypeVar("Item")
Result = TypeVar("Result")


class Map(Protocol):
    """A function applied to each item, in order; the built-in ``map`` is one."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """Return [function(item) for item in items]."""


@contextmanager
def helpers() -> Iterator[Callable[[int], Map]]:
    """Yield what gives a `Map` for so many networks: one that processes share, or the built-in one.

    A process without threads is forked at once, which takes some milliseconds: enter before anything is read, since
    threads that read stores do not survive a fork. Elsewhere processes are started where networks are many, and import
    what they need. Functions and items must be picklable.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    number = min(cores - 1, MOST)
    forked = sys.platform == "linux" and threading.active_count() == 1
    pool: ProcessPoolExecutor | None = None
    with ExitStack() as stack:

        def start(method: str) -> ProcessPoolExecutor:
            pool = ProcessPoolExecutor(number, multiprocessing.get_context(method), follow_parent)
            stack.callback(pool.shutdown, cancel_futures=True)
            return pool

        if forked and number:
            pool = start("fork")
            pool.submit(int)  # forks all of them

        def share(networks: int) -> Map:
            if not number or (pool is None and networks < WORTH_IT):
                return map
            workers = pool or start("spawn")
            return lambda function, items: _together(workers, function, list(items))

        yield share


def _together(pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    """Others begin with the first items, this process with the last ones."""
    futures = [pool.submit(function, item) for item in items]
    own = {i: function(items[i]) for i in reversed(range(len(items))) if futures[i].cancel()}
    return [own[i] if i in own else future.result() for i, future in enumerate(futures)]
