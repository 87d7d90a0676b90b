"""A campaign of many tasks whose numbers are made up, reproducibly: for what does not depend on numerics."""

from __future__ import annotations

import hashlib
import importlib
import json
import time
from pathlib import Path

import numpy as np
import xarray as xr

from simulate import Campaign, Experiment, Status
from simulate.data import Data
from simulate.measure.schema import coordinates, variables
from simulate.planning.tasks import Task, campaign_tasks

RESULTS = Path(__file__).parent / "results"
SECONDS = 0.03  # that a task takes
WAIT = 0.5  # that a waiting task takes


def campaign(tasks: int) -> Campaign:
    """Tasks of 100 networks each: 2 amplitudes × 50 seeds, 10 blocks of seeds, as many widths as are needed, or 100."""
    widths = min(tasks // 10, 100)  # small ones, so that memory does not cut tasks
    fields = {"name": "e", "dataset": "sphere", "n_train": 4, "n_test": 20, "depth": 2, "activation": "relu"}
    grid = {"widths": list(range(8, 8 + widths)), "root_h_alpha": [0.1, 10.0], "seeds": 50 * tasks // widths}
    campaign = Campaign.from_dict({"name": "stand-in", "experiment": [fields | grid]})
    assert len(campaign_tasks(campaign)) == tasks
    return campaign


def compute(experiment: Experiment, task: Task, data: Data, *, device: str) -> xr.Dataset:
    """Return numbers that depend on the task alone, after `SECONDS`."""
    time.sleep(SECONDS)
    return invented_results(experiment, task, data)


def waiting(experiment: Experiment, task: Task, data: Data, *, device: str) -> xr.Dataset:
    """Like `compute`, after `WAIT` seconds in which no core is needed."""
    time.sleep(WAIT)
    return invented_results(experiment, task, data)


def empty(experiment: Experiment, task: Task, data: Data, *, device: str) -> xr.Dataset:
    """Like `compute`, at once."""
    return invented_results(experiment, task, data)


def warm() -> None:
    """Import what a task needs, where this is called."""
    importlib.import_module("simulate.measure.engine")


def invented_results(experiment: Experiment, task: Task, data: Data) -> xr.Dataset:
    """Random numbers in the shape of a task's results, from a generator seeded with the task; all converged."""
    key = hashlib.sha256(f"{experiment.name}/{task.width}/{task.seed_start}".encode()).digest()
    generator = np.random.default_rng(np.frombuffer(key, dtype=np.uint32))
    sizes = {name: len(axis.values) for name, axis in coordinates(experiment, data.y_test).items()}
    sizes |= {"width": 1, "seed": task.seed_stop - task.seed_start}
    grid = ("width", experiment.amplitude, "seed")
    arrays = {}
    for name, variable in variables(experiment).items():
        dims = (*grid, *variable.dims)
        numbers = generator.uniform(1.0, 100.0, [sizes[d] for d in dims])
        arrays[name] = (dims, numbers.astype(variable.dtype))
    arrays["status"] = (grid, np.full([sizes[d] for d in grid], Status.CONVERGED, dtype="int8"))
    return xr.Dataset(arrays)


def pieces(path: Path) -> dict[str, bytes]:
    """Every file of a store but its root, which has the time of its making, and the records of runs."""
    files = (p for p in path.rglob("*") if p.is_file())
    named = {str(p.relative_to(path)): p for p in files}
    return {n: p.read_bytes() for n, p in named.items() if n != "zarr.json" and not n.startswith(".lazyrich/")}


def keep(name: str, results: dict) -> None:
    """Write a figure beside the script that made it."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))
