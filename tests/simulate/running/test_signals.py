"""Signals to a run and to its workers: bounded time, the right exit code, nothing lost, nobody left who computes on."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulate import Store

pytestmark = pytest.mark.slow

CAMPAIGN = """
name = "many"
[[experiment]]
name = "one"
dataset = "sphere"
n_train = 20
n_test = 20
depth = 1
activation = "relu"
widths = {widths}
root_h_alpha = [0.1, 10.0]
seeds = 3
"""


def started(tmp_path, tasks=40):
    """Start a command in a session of its own; return it when its first tasks are on disk."""
    (tmp_path / "many.toml").write_text(CAMPAIGN.format(widths=list(range(8, 8 + tasks))))
    command = [sys.executable, "-m", "simulate", "many.toml", "--out", "s", "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while not re.match(r"[1-9]\d* of ", process.stderr.readline()):
        assert process.poll() is None
    return process


def descendants(pid):
    """The processes that descend from one, and their parents."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
    below, level = {}, [pid]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        below |= {child: parents[child] for child in level}
    return below


def workers_of(pid):
    """Those of its descendants that compute: forked from the server of forks, or spawned."""

    def is_started_by(word, process):
        with contextlib.suppress(OSError):
            return word in Path(f"/proc/{process}/cmdline").read_bytes()
        return False

    return [
        child
        for child, parent in descendants(pid).items()
        if is_started_by(b"spawn_main", child) or is_started_by(b"forkserver", parent)
    ]


def is_alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_workers_that_are_all_killed_at_once_are_replaced(tmp_path):
    process = started(tmp_path)
    workers = workers_of(process.pid)
    assert len(workers) == 2
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    store = Store.open(tmp_path / "s")
    assert (store.pending(), store.verify()) == ((), [])


def test_workers_end_with_a_run_that_is_killed(tmp_path):
    process = started(tmp_path)
    workers = workers_of(process.pid)
    everybody = [*descendants(process.pid)]
    assert len(workers) == 2
    assert set(workers) < set(everybody)
    process.kill()
    process.communicate()
    end = time.monotonic() + 60
    while any(is_alive(one) for one in everybody) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(is_alive(one) for one in everybody)
    assert Store.open(tmp_path / "s").verify() == []


@pytest.mark.parametrize("to_all", [False, True], ids=["to the run", "to the terminal's group"])
def test_three_interrupts_end_it_as_one_does(tmp_path, to_all):
    process = started(tmp_path)
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
        time.sleep(0.05)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert told.strip().splitlines()[-1].startswith("interrupted: ")
    store = Store.open(tmp_path / "s")
    assert store.verify() == []
    assert 0 < len(store.pending()) < 40
