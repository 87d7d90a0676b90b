"""How many tasks a second can workers, scheduler and store sustain?

    python -m benchmarks.reliability.throughput [--only PART ...] [--empty 10000] [--folder DIR]

- *trained*: a campaign of 96 equal tasks of real networks, with 1, 2 and 4 workers, of this machine and of a Dask
  cluster whose scheduler and workers are processes of their own. Cores bound it.
- *waiting*: tasks that sleep for half a second, with 1, 2, 4 and 16 workers: what running tasks side by side costs
  where cores are not the bound, as with GPUs.
- *empty*: ``--empty`` tasks whose numbers are made up at once, through a Dask cluster of two workers into a store: what
  scheduler, transport and store sustain together; the scheduler alone (a task that returns nothing), and the store
  alone (the same tasks made in this process).

From the last three follows what a campaign on many GPUs would need: docs/clusters.md. Stores are made in ``--folder``,
a disk that is flushed after each task, as it is for a user.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client, SubprocessCluster

from benchmarks.reliability import stand_in
from simulate import Campaign, run
from simulate.planning.tasks import campaign_tasks

_TRAINED = {
    "name": "trained", "dataset": "digits", "n_train": 40, "n_test": 50, "depth": 1, "activation": "softplus",
    "widths": [32], "root_h_alpha": {"start": 1e-2, "stop": 1e2, "per_decade": 1}, "seeds": 1920,
}  # fmt: skip
_WAITING = 50  # tasks
_EMPTY_WORKERS = 2


def main() -> None:
    """Run it and write ``results/throughput.json``, part by part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--empty", type=int, default=10_000, help="empty tasks, a multiple of ten")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    result = stand_in.RESULTS / "throughput.json"
    results = json.loads(result.read_text()) if result.exists() else {}
    for part in options.only:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            results |= {
                "cores": os.cpu_count(),
                "machine": platform.machine(),
                part: PARTS[part](Path(folder), options.empty),
            }
        stand_in.keep("throughput", results)


def _trained(folder: Path, empty: int) -> list[dict]:
    campaign = Campaign.from_dict({"name": "trained", "experiment": [_TRAINED]})
    rows = []
    for workers in (1, 2, 4):
        local = _timed(campaign, folder / f"local-{workers}.zarr", workers=workers)
        with _cluster(workers) as address:
            dask = _timed(campaign, folder / f"dask-{workers}.zarr", scheduler=address)
        rows.append({"workers": workers, "tasks": len(campaign_tasks(campaign)), "networks": campaign.size}
                    | {"local_seconds": local, "dask_seconds": dask})  # fmt: skip
    return rows


def _waiting(folder: Path, empty: int) -> list[dict]:
    campaign = stand_in.campaign(_WAITING)
    rows = []
    for workers in (1, 2, 4, 16):
        with _cluster(workers) as address:
            path = folder / f"waiting-{workers}.zarr"
            seconds = _timed(campaign, path, scheduler=address, compute=stand_in.waiting)
        ideal = stand_in.WAIT * len(campaign_tasks(campaign)) / workers
        rows.append(
            {"workers": workers, "tasks": len(campaign_tasks(campaign)), "seconds": seconds, "ideal_seconds": ideal}
        )
    return rows


def _empty(folder: Path, tasks: int) -> dict:
    with _cluster(_EMPTY_WORKERS) as address:
        path = folder / "empty.zarr"
        before = time.process_time()
        seconds = _timed(stand_in.campaign(tasks), path, scheduler=address, compute=stand_in.empty)
        ours = time.process_time() - before
    size = sum(len(piece) for piece in stand_in.pieces(path).values())
    return {
        "tasks": tasks, "workers": _EMPTY_WORKERS, "seconds": seconds, "tasks_per_second": round(tasks / seconds, 1),
        "processor_seconds_of_the_writer": round(ours, 1), "bytes_per_task": round(size / tasks),
        "pieces_per_task": round(len(stand_in.pieces(path)) / tasks, 1),
    }  # fmt: skip


def _scheduler_alone(folder: Path, tasks: int) -> dict:
    with _cluster(_EMPTY_WORKERS) as address, Client(address, set_as_default=False) as client:
        client.gather(client.map(abs, range(100), pure=False))
        start = time.perf_counter()
        client.gather(client.map(abs, range(tasks), pure=False))
        seconds = time.perf_counter() - start
    return {"tasks": tasks, "seconds": round(seconds, 2), "tasks_per_second": round(tasks / seconds, 1)}


def _store_alone(folder: Path, tasks: int) -> dict:
    tasks = min(tasks, 1000)
    seconds = _timed(stand_in.campaign(tasks), folder / "alone.zarr", workers=1, compute=stand_in.empty)
    return {"tasks": tasks, "seconds": seconds, "tasks_per_second": round(tasks / seconds, 1)}


PARTS = {
    "trained": _trained,
    "waiting": _waiting,
    "empty": _empty,
    "scheduler_alone": _scheduler_alone,
    "store_alone": _store_alone,
}


def _timed(campaign: Campaign, store: Path, **how) -> float:
    """Seconds from when the run has its tasks, workers started and the layout written, to its end."""
    moments: list[float] = []
    run(campaign, store, progress=lambda now: moments.append(time.perf_counter()), **how)
    return round(moments[-1] - moments[0], 2)


@contextmanager
def _cluster(workers: int) -> Iterator[str]:
    """The address of a scheduler in a process of its own, with so many workers that have started."""
    with SubprocessCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(workers)
            # what a worker imports with its first task is not what is measured
            client.run(stand_in.warm)
        yield cluster.scheduler_address


if __name__ == "__main__":
    main()
