"""Reports are made by processes that share the work."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, TypeVar

import joblib

from simulate.running.parent_watch import follow_parent

#: Networks from which processes are worth their start, about two seconds of imports, where they can't be forked.
WORTH_IT = 20_000
#: A report has few experiments.
MOST_PROCESSES = 8

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
    number = min(joblib.cpu_count(), MOST_PROCESSES)
    forked = sys.platform == "linux" and threading.active_count() == 1
    pool: joblib.Parallel | None = None
    with ExitStack() as stack:

        def start(backend: str, **more: Any) -> joblib.Parallel:
            # arrays of any size are pickled: none is written to a disk
            workers = joblib.Parallel(
                number, backend=backend, max_nbytes=None, pre_dispatch="all", batch_size=1, **more
            )
            return stack.enter_context(workers)

        if forked and number > 1:
            pool = start("multiprocessing", initializer=_begin)

        def share(networks: int) -> Map:
            nonlocal pool
            if number == 1 or (pool is None and networks < WORTH_IT):
                return map
            workers = pool = pool or start("loky")
            return lambda function, items: workers(joblib.delayed(function)(item) for item in items)

        yield share


def _begin() -> None:
    """Begin a process that is ended with its pool: one that ignored the pool's signal would be waited for.

    It must not ignore it for a moment either: a pool may be ended as soon as it is made.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    follow_parent(ignored=[signal.SIGINT])
