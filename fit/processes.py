"""Reports on very many networks are made by this process and others beside it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

#: Networks from which another process is worth its start, about two seconds of imports.
WORTH_IT = 20_000

Item = TypeVar("Item")
Result = TypeVar("Result")


class Map(Protocol):
    """A function applied to each item, in order; the built-in ``map`` is one."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """Return [function(item) for item in items]."""


@contextmanager
def shared(networks: int) -> Iterator[Map]:
    """Yield a `Map`: the built-in one for few networks, else one that other processes share the work of.

    Functions and items must then be picklable.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if networks < WORTH_IT or cores < 2:
        yield map
        return
    # not forked: threads that read stores do not survive a fork
    pool = ProcessPoolExecutor(cores - 1, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield lambda function, items: _together(pool, function, list(items))
    finally:
        pool.shutdown(cancel_futures=True)


def _together(pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    """Others begin with the first items, this process with the last ones."""
    futures = [pool.submit(function, item) for item in items]
    own = {i: function(items[i]) for i in reversed(range(len(items))) if futures[i].cancel()}
    return [own[i] if i in own else future.result() for i, future in enumerate(futures)]
