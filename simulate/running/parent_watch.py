"""A worker leaves decisions to the process that started it, and ends with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable


def follow_parent(ignored: Iterable[signal.Signals] = (signal.SIGINT, signal.SIGTERM)) -> None:
    """Ignore interrupts, about which the parent decides; if it is killed, nobody is left to decide: end at once."""
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
