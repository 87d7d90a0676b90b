"""A whole run through the public command against the published integrator, in processor time, and where its time goes.

    python -m benchmarks whole_run [--amplitudes 0.01 1 100] [--seeds 4] [--rounds 2] [--out FILE.json]

Fashion-MNIST, softplus, L = 3, h = 128, N = 500, 500 test points, kernels on all of them. ``python -m simulate`` counts
whole: start of the interpreter and the workers, reading of data, all observables, the store. Euler's method trains one
network of each amplitude in this process, without observables (`benchmarks.euler`). Both are counted in seconds of
processors (user and system), measured in turns, the least of each: a machine that is busy with other things lengthens
the wall clock, and little else.

The same campaign is also run by one worker; again into its full store, where nothing is computed; and in this process,
where the clock is stopped around each kind of measurement. What the command takes beyond that is its start, the
processes, and the store.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks import integrators
from simulate import Campaign, load_data, run_task
from simulate.campaign.as_toml import as_toml
from simulate.measure.held_out import HeldOut
from simulate.measure.network_batch import NetworkBatch
from simulate.measure.tangent import Tangent
from simulate.planning.tasks import campaign_tasks
from simulate.training import driver

WORKERS = 2
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
#: name -> the functions whose time it is; what one of them calls of another counts there
PARTS: dict[str, list[tuple[Any, str]]] = {
    "networks drawn": [(NetworkBatch, "draw")],
    "kernels at start and stop": [(HeldOut, "_initial_kernels"), (HeldOut, "kernel_change")],
    "test outputs at each step": [(Tangent, "departure")],
    "test outputs at events and ends": [(HeldOut, "predictor")],
    "events located": [(driver, "record_events")],
}


def fields(amplitudes: list[float], seeds: int, **changes: Any) -> dict[str, Any]:
    """Return the experiment as a campaign file has it."""
    shared = {**integrators.CASES["gemm"], "n_test": 500, "tolerance": integrators.TOLERANCE, "name": "gemm"}
    return {**shared, "root_h_alpha": amplitudes, "seeds": seeds, **changes}


def command(campaign: Path, store: Path, workers: int) -> float:
    """Return the processor seconds of a run through the command, those of all its processes (on Linux)."""
    # the server that workers are forked from outlives the command by an instant: it becomes a child of this process
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments = [sys.executable, "-m", "simulate", str(campaign), "--out", str(store), "--workers", str(workers)]
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Parts:
    """Processor seconds of the `PARTS`, each without what it calls of the others."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._running: list[str] = []
        self._since = 0.0

    def _switch(self) -> None:
        now = time.process_time()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._switch()
            self._running.append(name)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._running.pop()

        return timed

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow the functions in the block."""
        with ExitStack() as patches:
            for name, functions in PARTS.items():
                for owner, function in functions:
                    timed = self._timed(name, getattr(owner, function))
                    patches.enter_context(patch.object(owner, function, timed))
            yield


def in_this_process(campaign: Campaign) -> dict[str, float]:
    """Return the processor seconds of training and measuring, by parts; the stepper's and driver's are the rest."""
    (experiment,) = campaign.experiment
    data, parts = load_data(experiment), Parts()
    start = time.process_time()
    with parts.followed():
        for task in campaign_tasks(campaign):
            run_task(experiment, task, data)
    total = time.process_time() - start
    steps = total - sum(parts.seconds.values())
    return {"all": total, "steps": steps, **{name: parts.seconds[name] for name in PARTS}}


def euler(amplitude: float) -> float:
    """Return the processor seconds of Euler's method for one network."""
    start = time.process_time()
    integrators.euler("gemm", "cpu", amplitude, "float64")
    return time.process_time() - start


def measured(amplitudes: list[float], seeds: int, rounds: int) -> dict[str, Any]:
    """Return all that is measured."""
    torch.set_num_threads(1)
    campaign = Campaign.from_dict({"name": "whole-run", "experiment": [fields(amplitudes, seeds)]})
    runs: dict[str, list[float]] = {"workers": [], "one_worker": [], "nothing_to_do": []}
    eulers, inside = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "campaign.toml")
        file.write_text(as_toml(campaign), encoding="utf-8")
        for number in range(rounds):
            runs["workers"].append(command(file, Path(folder, f"{number}-2.zarr"), WORKERS))
            eulers.append([euler(a) for a in amplitudes])
            runs["one_worker"].append(command(file, Path(folder, f"{number}-1.zarr"), 1))
            runs["nothing_to_do"].append(command(file, Path(folder, f"{number}-2.zarr"), WORKERS))
            inside.append(in_this_process(campaign))
    euler_s = sum(min(times) for times in zip(*eulers, strict=True)) / len(amplitudes)
    least = {name: min(times) for name, times in runs.items()}
    parts = min(inside, key=lambda seconds: seconds["all"])
    return {
        "networks": campaign.size,
        "tasks": len(campaign_tasks(campaign)),
        "amplitudes": amplitudes,
        "seeds": seeds,
        "euler_s_a_network": round(euler_s, 2),
        **{f"{name}_s": round(seconds, 2) for name, seconds in least.items()},
        "in_one_process_s": {name: round(seconds, 2) for name, seconds in parts.items()},
        "ratio_whole_run": round(euler_s * campaign.size / least["workers"], 1),
        "ratio_one_worker": round(euler_s * campaign.size / least["one_worker"], 1),
        "ratio_in_one_process": round(euler_s * campaign.size / parts["all"], 1),
    }


def main() -> None:
    """Measure and print; write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--amplitudes", type=float, nargs="+", default=[1e-2, 1.0, 1e2])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result = measured(options.amplitudes, options.seeds, options.rounds)
    print(json.dumps(result, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
