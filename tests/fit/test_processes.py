"""Work shared by processes: the same results in the same order, and no process started where there is little to do."""

import math
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fit import processes
from fit.processes import WORTH_IT, helpers
from simulate.running import parent_watch


def test_no_process_is_started_anew_for_few_networks(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    with helpers() as share:
        assert share(WORTH_IT - 1) is map


def test_a_single_core_has_no_helpers(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    with helpers() as share:
        assert share(10 * WORTH_IT) is map


@pytest.mark.parametrize("threads", [1, 2])
def test_many_networks_are_shared_and_results_keep_their_order(monkeypatch, threads):
    """Forked where this process has no other thread, started anew where it has."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    with helpers() as share:
        apply = share(WORTH_IT)
        assert list(apply(math.sqrt, range(40))) == [math.sqrt(i) for i in range(40)]


FAILS = """
import math
from fit.processes import WORTH_IT, helpers
import joblib
joblib.cpu_count = lambda: 2
with helpers() as share:
    apply = share(WORTH_IT)
    assert apply is not map
    try:
        list(apply(math.sqrt, [1, -1, 4]))
    except ValueError as error:
        print(f"raised here: {error}")
"""


def test_what_fails_in_a_forked_process_is_raised_here():
    """In a process of its own: one that pytest forks inherits its threads' locks, and none of its threads."""
    done = subprocess.run([sys.executable, "-c", FAILS], capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout.startswith("raised here: "), done.stderr


def test_no_process_is_left_behind(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    with helpers() as share:
        others = set(share(WORTH_IT)(_process, range(40))) - {os.getpid()}
    assert others
    for process in others:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_processes_end_at_their_pools_signal(monkeypatch):
    """A pool ends its processes by SIGTERM and waits for them: one that ignores it is waited for without end."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    with helpers() as share:
        assert set(share(WORTH_IT)(_terminates, range(8))) == {True}


def test_a_pools_signal_is_ignored_at_no_moment(monkeypatch):
    """A pool that is ended as soon as it is made sends its signal while its processes begin."""
    handlers = []
    monkeypatch.setattr(signal, "signal", lambda *of: handlers.append(of))
    monkeypatch.setattr(parent_watch.threading, "Thread", lambda **_: threading.Event())
    monkeypatch.setattr(threading.Event, "start", lambda _: None, raising=False)
    processes._begin()
    assert sorted(handlers) == [(signal.SIGINT, signal.SIG_IGN), (signal.SIGTERM, signal.SIG_DFL)]


def _terminates(_):
    return signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _process(_):
    time.sleep(0.01)  # so that there is something to share
    return os.getpid()
