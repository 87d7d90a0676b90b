"""Kill -9 at random moments: is anything lost that was reported finished?

    nice -n 10 python -m benchmarks.reliability.kills [--tasks 300] [--kills 200] [--together 1]

A campaign of stand-in tasks runs with several workers. The moments are drawn uniformly over its busy time, which is
measured first on an uninterrupted run. This process keeps the ledger: what the run has reported finished, read from a
pipe. After each kill every network in the ledger must be finished in the store and the store must be whole; at the end
the store must equal the uninterrupted one byte for byte. The run says on the pipe when it enters and leaves a write, so
that the kills inside one can be counted; each flush takes `FLUSH` seconds longer, as on a slow disk, so that there are
many. Runs and workers are forked from this process, to save the import of torch.

With ``--together`` K above 1, networks are trained, and K tasks are in a batch, as on a GPU: each is written by itself
when its batch is done. A batch that was killed is made again of what is left, so that the stores are compared number by
number, to what the composition of a batch may change (1e-9).
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import select
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import xarray as xr

import simulate.measure.batching
import simulate.running.workers
import simulate.store.folder
from benchmarks.reliability import stand_in
from simulate import Campaign, Progress, Store, run, run_task
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.planning.tasks import campaign_tasks

FLUSH = 0.05
NETWORKS_OF_A_TASK = 100
#: by how much numbers of a network may differ, relatively, with which others it is trained; outputs are in float32
ROUNDING, ROUNDING_SINGLE = 1e-9, 1e-6


def main() -> None:
    """Run it and write ``results/kills.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2, help="of stand-in tasks; networks are trained by one")
    parser.add_argument("--together", type=int, default=1, help="tasks in a batch; above 1, networks are trained")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    name = "kills" if options.together == 1 else "kills_of_batches"
    workers = options.workers if options.together == 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.tasks, options.kills, workers, options.seed, options.together)
        stand_in.keep(name, results)


def trained_campaign(tasks: int) -> Campaign:
    """Return a campaign of so many tasks of one width that take a tenth of a second each."""
    fields = {
        "name": "e", "dataset": "sphere", "n_train": 10, "n_test": 10, "depth": 1, "activation": "softplus",
        "widths": [8], "root_h_alpha": [0.1, 10.0], "seeds": NETWORKS_OF_A_TASK // 2 * tasks, "tolerance": 0.05,
    }  # fmt: skip
    campaign = Campaign.from_dict({"name": "trained", "experiment": [fields]})
    assert len(campaign_tasks(campaign)) == tasks
    return campaign


def measure(folder: Path, tasks: int, kills: int, workers: int, seed: int, together: int = 1) -> dict:
    """Return the counts; ``together`` tasks are in a batch, and above one networks are trained."""
    campaign = stand_in.campaign(tasks) if together == 1 else trained_campaign(tasks)
    whole, path = folder / "whole.zarr", folder / "killed.zarr"
    start = functools.partial(_Life, campaign, workers=workers, together=together)
    life = start(whole)
    life.watch(None)
    busy = life.busy
    moments = np.sort(np.random.default_rng(seed).uniform(0.0, busy, kills))
    ledger: set[str] = set()
    inside = lost = damaged = lives = 0
    for gap in np.diff(moments, prepend=0.0):
        life = start(path)
        if life.watch(gap):  # it ended before the moment came
            break
        lives += 1
        ledger |= life.reported
        inside += life.writing
        store = Store.open(path)
        pending = {_name(t) for t in store.pending()}
        lost += len(ledger & pending)
        damaged += len(store.verify())
    start(path).watch(None)
    return {
        "tasks": tasks,
        "networks": campaign.size,
        "workers": workers,
        "busy_seconds_uninterrupted": round(busy, 1),
        "kills": lives,
        "kills_inside_a_write": inside,
        "finished_tasks_lost": lost,
        "damaged_pieces_after_a_kill": damaged,
        **(_compared_bytes(path, whole) if together == 1 else {"tasks_in_a_batch": together}),
        **({} if together == 1 else _compared_numbers(path, whole)),
    }


def _compared_bytes(path: Path, whole: Path) -> dict[str, int]:
    killed, undisturbed = stand_in.pieces(path), stand_in.pieces(whole)
    differing = sum(killed.get(name) != data for name, data in undisturbed.items()) + len(
        set(killed) - set(undisturbed)
    )
    return {"pieces_compared": len(undisturbed), "pieces_that_differ": differing}


def _compared_numbers(path: Path, whole: Path) -> dict[str, int]:
    killed, undisturbed = (xr.open_datatree(p, engine="zarr")["e"].to_dataset().load() for p in (path, whole))
    compared = differing = 0
    for name in set(undisturbed.data_vars) - set(NONDETERMINISTIC_VARIABLES):
        tight = ROUNDING_SINGLE if undisturbed[name].dtype == np.float32 else ROUNDING
        size = float(np.sqrt(np.nanmean(undisturbed[name].values.astype(float) ** 2)))
        same = np.isclose(killed[name], undisturbed[name], rtol=tight, atol=1e-3 * tight * size, equal_nan=True)
        compared += same.size
        differing += int((~same).sum())
    return {"numbers_compared": compared, "numbers_that_differ": differing}


class _Life:
    """One run of the campaign in a process of its own, until it ends or is killed."""

    def __init__(self, campaign: Campaign, path: Path, workers: int, together: int) -> None:
        self.reported: set[str] = set()
        self.writing = False
        self.busy = 0.0
        self._tail = b""
        self._out, into = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            os.close(self._out)
            with contextlib.suppress(BaseException):
                _run(campaign, path, workers, into, together)
            os._exit(0)
        os.close(into)

    def watch(self, seconds: float | None) -> bool:
        """Follow the run for so many seconds of its busy time, then kill it; return whether it ended by itself."""
        started = None
        while True:
            patience = None if started is None or seconds is None else max(0.0, started + seconds - time.monotonic())
            if not select.select([self._out], [], [], patience)[0]:
                os.kill(self._process, signal.SIGKILL)
                os.waitpid(self._process, 0)
                self._read_rest()
                return False
            data = os.read(self._out, 65536)
            if not data:
                os.waitpid(self._process, 0)
                self.busy = time.monotonic() - started if started else 0.0
                return True
            if started is None:
                started = time.monotonic()
            self._take(data)

    def _read_rest(self) -> None:
        # workers that outlive the run for an instant hold the pipe, too: read what is there, not to its end
        while select.select([self._out], [], [], 0.05)[0] and (data := os.read(self._out, 65536)):
            self._take(data)
        os.close(self._out)

    def _take(self, data: bytes) -> None:
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            event, _, task = line.decode().partition(" ")
            if event == "finished":
                self.reported.add(task)
            self.writing = event == "writing"


def _run(campaign: Campaign, path: Path, workers: int, out: int, together: int) -> None:
    """In the child: run, and say on the pipe what happens."""
    torch.set_num_threads(1)
    simulate.running.workers._START = "fork"
    if together > 1:
        simulate.measure.batching.networks_of_tasks = lambda *_: together * NETWORKS_OF_A_TASK
    write, flush = Store.write, simulate.store.folder._flush

    def slowly(paths) -> None:
        time.sleep(FLUSH)
        flush(paths)

    simulate.store.folder._flush = slowly

    def send(event: str, task) -> None:
        os.write(out, f"{event} {_name(task)}\n".encode())

    def announced(store, task, result):
        send("writing", task)
        write(store, task, result)
        send("written", task)

    def report(now: Progress) -> None:
        if now.task is None:
            os.write(out, b"busy\n")
        else:
            send("finished", now.task)

    Store.write = announced  # type: ignore[method-assign]
    run(
        campaign,
        path,
        workers=workers,
        compute=stand_in.compute if together == 1 else run_task,
        progress=report,
    )


def _name(task) -> str:
    return f"{task.experiment}/{task.index}/{task.seed_start}"


if __name__ == "__main__":
    main()
