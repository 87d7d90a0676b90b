"""How long ``python -m fit.report`` takes, and how much memory, on a store of 100,000 networks.

The store is made up (times, weights, predictors' scatter and the feature regime's kernel obey the laws, the rest is
whatever) and written in the layout of `simulate.store`, chunk by chunk; then the report runs as a user would run it, in
a process of its own whose peak memory the operating system tells. Run ``python -m benchmarks.scale``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import typer
import xarray as xr

from simulate import Campaign, Status
from simulate.data import Data
from simulate.measure.schema import variables
from simulate.planning.tasks import campaign_tasks
from simulate.store import Store

RESULT = Path(__file__).parent / "results" / "scale.json"
#: experiments × widths × amplitudes × seeds = 4 × 10 × 25 × 100 = 100,000
DEPTHS = (1, 2, 3, 5)
WIDTHS = [16, 23, 32, 45, 64, 91, 128, 181, 256, 362]
SEEDS = 100
#: for more training points than 400 a report has no linearised dynamics, which take some seconds an experiment
N_TRAIN = 500


def campaign(n_test: int) -> Campaign:
    """The grid: half-decades of A from 1e-6 to 1e6 on four depths."""
    shared = {
        "dataset": "digits", "pca": 10, "n_train": N_TRAIN, "n_test": n_test, "activation": "softplus",
        "widths": WIDTHS,
        "root_h_alpha": {"start": 1e-6, "stop": 1e6, "per_decade": 2}, "seeds": SEEDS,
    }  # fmt: skip
    return Campaign.from_dict(
        {"name": "scale", "experiment": [{"name": f"softplus-L{depth}", "depth": depth, **shared} for depth in DEPTHS]}
    )


def write(path: Path, n_test: int, seed: int = 0) -> int:
    """Write the store and return how many networks it holds."""
    rng = np.random.default_rng(seed)
    grid = campaign(n_test)
    labels = np.where(np.arange(n_test) % 2, 1, -1)
    x_train, x_test = np.ones((N_TRAIN, 64)), np.ones((n_test, 64))
    data = Data("made up", x_train, np.ones(N_TRAIN), x_test, labels, "0" * 64, "made up")
    store = Store.create(path, grid, {e.name: data for e in grid.experiment}, "cpu")
    store._flush = lambda *_: None  # a made-up store need not survive a power cut
    common = labels * np.abs(rng.standard_normal(n_test))  # an infinitely wide network makes no error
    for task in campaign_tasks(grid):
        experiment = grid.find(task.experiment)
        a = np.asarray(experiment.root_h_alphas(task.width))[:, None]
        shape = (len(a), task.seed_stop - task.seed_start)
        degree, h = experiment.depth + 1, task.width
        factors = np.exp(rng.standard_normal((3, 1, shape[1])) / np.sqrt(h))
        fine = 1 + 0.01 * rng.standard_normal(shape)
        lazy = np.hypot(6 * rng.standard_normal((1, shape[1])) / (np.sqrt(h) * a), 16 / a**2)
        change = fine * ((4 * factors[0] * a ** (2 / degree - 2)) ** -3 + lazy**-3) ** (-1 / 3)
        weights = np.where(a < 1, 2 * a ** (-1 / degree) * (1 - 0.4 * np.minimum(a, 1) ** (1 / degree)), 1.2 / a)
        output = common + rng.standard_normal((*shape, n_test)) / np.sqrt(h)
        known = {
            "kernel_change": change,
            "time_linear": 0.7 * a * factors[1] * fine,
            "time_half": np.minimum(a, 1) * factors[1] * fine,
            "weight_change": (np.sqrt(h) * factors[2] * weights * fine)[..., None] * np.ones(degree) / np.sqrt(degree),
            "output_rms_linear": 0.3 * a * factors[1] * fine,
            "test_output": output.astype(np.float32),
            "test_error": (output * labels <= 0).mean(axis=-1),
            "alpha": a / np.sqrt(h) * np.ones(shape),
            "status": np.full(shape, Status.CONVERGED, dtype=np.int8),
        }
        store.write(task, _dataset(experiment, shape, known))
    return grid.size


def _dataset(experiment, shape, known):
    sizes = {"layer": experiment.depth + 1, "test_point": experiment.n_test}
    columns = {}
    for name, variable in variables(experiment).items():
        full = (*shape, *(sizes[d] for d in variable.dims))
        values = known.get(name, np.ones(full, dtype=variable.dtype))
        columns[name] = (("width", experiment.amplitude, "seed", *variable.dims), values[None].astype(variable.dtype))
    return xr.Dataset(columns)


def main(n_test: int = 500, keep: Path | None = None, out: Path = RESULT) -> None:
    """Write the store, run the report on it, and say what it took."""
    with tempfile.TemporaryDirectory() as folder:
        store = keep or Path(folder, "scale.zarr")
        started = time.perf_counter()
        networks = write(store, n_test) if not store.exists() else campaign(n_test).size
        written = time.perf_counter() - started
        size = sum(f.stat().st_size for f in store.rglob("*") if f.is_file())
        command = [
            sys.executable,
            "-m",
            "fit.report",
            str(store),
            "--out",
            str(Path(folder, "report")),
            "--quiet",
        ]
        load = os.getloadavg()[0]
        started = time.perf_counter()
        subprocess.run(command, check=True)
        wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    row = {
        "networks": networks,
        "n_test": n_test,
        "store_bytes": size,
        "report_seconds": round(wall, 2),
        "report_cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_memory_gib": round(used.ru_maxrss / 2**20, 3),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),  # of the machine's other processes, over the minute before
    }
    print(json.dumps(row, indent=1), f"(written in {written:.0f} s)")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"schema_version": 1, **row}, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
