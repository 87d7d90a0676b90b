"""Networks per second of the engine against the published integrator, side by side in one run, at equal accuracy.

    python -m benchmarks.integrators [--case small|gemm] [--dtype float64|float32] [--tolerance 0.01] [--threads 1]
        [--out FILE.json]

All use the same forward and backward passes, threads, dtype and stop. Euler's method trains one network at a time, as
the published code does, and all together (integrator ``euler`` of the engine); the engine one at a time and all
together, by the integrator that a campaign gets. Equal accuracy: the published rule has no tolerance, and its kernel
changes are right to a part in a thousand; the engine's is that of the presets, 1e-2, or another one. The result says
how far the two are apart (one seed), and how far the engine's kernel changes are from those at a tolerance of 1e-4 in
float64 (all networks; what others make of these tolerances: `benchmarks.work_precision`). Data are read before the
clock starts; the engine's time has all observables in it, Euler's has none.

Everything is measured ``ROUNDS`` times in turns, and the fastest counts. With one thread (two gain next to nothing at
these sizes) ratios are those of whole machines: either method fills its cores with processes.

On a GPU a step of one small network takes as long as one of thousands, and Euler's method takes a thousand and more:
there batches are larger and fewer networks are trained alone (`GPU_CASES`), each is measured once, and what has been
measured is said as it comes.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from benchmarks.euler import train
from simulate import Campaign, Experiment, load_data
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.measure.engine import run_tasks
from simulate.measure.held_out import HeldOut
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.tasks import campaign_tasks
from simulate.training.precision import full_precision, without_denormals
from theory.activation import Activation

CASES = {
    "small": {
        "dataset": "digits", "n_train": 100, "n_test": 100, "depth": 2, "activation": "softplus", "widths": [64],
        "root_h_alpha": [10.0 ** (i / 2) for i in range(-6, 7)], "seeds": 4,
    },
    "gemm": {
        "dataset": "fashion_mnist", "n_train": 500, "n_test": 200, "depth": 3, "activation": "softplus",
        "widths": [128], "root_h_alpha": [1e-2, 1.0, 1e2], "seeds": 4,
    },
}  # fmt: skip
GPU_CASES = {
    "small": {**CASES["small"], "root_h_alpha": [1e-2, 1.0, 1e2], "seeds": 64},
    "gemm": {**CASES["gemm"], "seeds": 16},
}
TOLERANCE, EXACT = 1e-2, 1e-4  # of the presets, and of what errors are taken against
MAX_EVALUATIONS = 20_000
ROUNDS = 3


def experiment(case: str, device: str = "cpu", **changes) -> tuple[Campaign, Experiment]:
    """The case as a campaign of one experiment, in the size for a device."""
    sizes = CASES if device == "cpu" else GPU_CASES
    fields = {"name": case, **sizes[case], "tolerance": TOLERANCE, **changes}
    campaign = Campaign.from_dict({"name": case, "experiment": [fields]})
    return campaign, campaign.experiment[0]


def engine(case: str, device: str, **changes) -> tuple[float, xr.Dataset]:
    """Seconds and results of a batch."""
    campaign, experiment_ = experiment(case, device, **changes)
    data = load_data(experiment_, None)
    tasks = campaign_tasks(campaign)
    start = time.perf_counter()
    results = [result for _, result in run_tasks(experiment_, tasks, data, device=device)]  # of one width: by seeds
    return time.perf_counter() - start, xr.concat(results, "seed").isel(width=0)


def euler(case: str, device: str, amplitude: float, dtype: str) -> tuple[float, float, int, bool]:
    """Seconds, kernel change, evaluations and whether it converged, for seed 0 at one amplitude."""
    _, experiment_ = experiment(case, device)
    data = load_data(experiment_, None)
    kind = getattr(torch, dtype)
    x, y, x_test = (torch.as_tensor(v, dtype=kind, device=device) for v in (data.x_train, data.y_train, data.x_test))
    width = experiment_.widths[0]
    network = FullyConnected(x.shape[1], width, experiment_.depth, Activation(experiment_.activation))
    initial = [w.to(device, kind) for w in network.initial_weights(0, [0])]
    alpha = torch.tensor([amplitude / math.sqrt(width)], dtype=kind, device=device)
    only = torch.zeros(1, dtype=torch.int64, device=device)
    held_out = HeldOut(network, initial, only, alpha, Dense.on_inputs(x_test), experiment_.n_kernel)
    flow = GradientFlow(network, LOSSES[experiment_.loss], Dense.on_inputs(x), y, alpha, network.output(initial, x))
    with full_precision(), without_denormals(kind):
        start = time.perf_counter()
        trained = train(flow, initial, MAX_EVALUATIONS)
        seconds = time.perf_counter() - start
    change, _ = held_out.kernel_change(only, trained.weights)
    return seconds, change.item(), trained.evaluations, trained.converged


def compared(case: str, device: str, dtype: str, tolerance: float) -> dict:
    """All that is measured of a case."""
    amplitudes = [float(a) for a in experiment(case, device)[1].amplitudes]
    baseline = {"dynamics": {"name": "gradient_flow", "integrator": "euler"}, "max_steps": MAX_EVALUATIONS}
    chosen = {"dtype": dtype, "tolerance": tolerance}
    engine(case, device, root_h_alpha=[1.0], seeds=1, **chosen)  # warm
    batches, singles, eulers = [], [], []
    for _ in range(ROUNDS if device == "cpu" else 1):
        batches.append(engine(case, device, **chosen))
        _print_seconds("batch", batches[-1][0])
        singles.append([engine(case, device, root_h_alpha=[a], seeds=1, **chosen) for a in amplitudes])
        _print_seconds("one at a time", sum(seconds for seconds, _ in singles[-1]))
        eulers.append([euler(case, device, a, dtype) for a in amplitudes])
        _print_seconds("Euler, one at a time", sum(row[0] for row in eulers[-1]))
    batch_s, batch = min(batches, key=lambda pair: pair[0])
    euler_batch_s, _ = engine(case, device, dtype=dtype, **baseline)
    _print_seconds("Euler, batch", euler_batch_s)
    rows = []
    for k, a in enumerate(amplitudes):
        single_s, single = min((s[k] for s in singles), key=lambda pair: pair[0])
        euler_s, reference, evaluations, converged = min(e[k] for e in eulers)
        rows.append(
            {
                "A": a,
                "euler_s": round(euler_s, 3),
                "euler_evaluations": evaluations,
                "euler_converged": converged,
                "engine_single_s": round(single_s, 3),
                "engine_evaluations": int(single.gradient_evaluations.values[0, 0]),
                "kernel_change_ratio": round(float(single.kernel_change.values[0, 0]) / reference, 5),
            }
        )
    _, exact = engine(case, device, tolerance=EXACT, max_steps=MAX_EVALUATIONS)
    largest_error = float(abs(batch.kernel_change / exact.kernel_change - 1.0).max())
    networks, experiment_ = batch.kernel_change.size, experiment(case, device, **chosen)[1]
    mean = {key: float(np.mean([r[key] for r in rows])) for key in rows[0]}
    evaluations = float(batch.gradient_evaluations.mean())
    return {
        "case": case,
        "device": torch.cuda.get_device_name() if device != "cpu" else "cpu",
        "threads": torch.get_num_threads(),
        "dtype": dtype,
        "networks_in_batch": networks,
        "integrator": integrator_of(experiment_),
        "tolerance": experiment_.tolerance,
        "largest_error": round(largest_error, 5),
        "engine_batch_s": round(batch_s, 3),
        "euler_batch_s": round(euler_batch_s, 3),
        "batched_against_batched_euler": round(euler_batch_s / batch_s, 1),
        "mean_evaluations": round(evaluations, 1),
        "euler_mean_evaluations": round(mean["euler_evaluations"], 1),
        "euler_mean_s": round(mean["euler_s"], 4),
        "euler_ms_per_evaluation": round(1e3 * mean["euler_s"] / mean["euler_evaluations"], 4),
        "engine_ms_per_evaluation": round(1e3 * batch_s / networks / evaluations, 4),
        "batched_ratio": round(mean["euler_s"] * networks / batch_s, 1),
        "single_ratio": round(mean["euler_s"] / mean["engine_single_s"], 1),
        "rows": rows,
    }


def _print_seconds(label: str, seconds: float) -> None:
    """Say on the way what has been measured: a whole case takes minutes."""
    print(f"{label}: {seconds:.3g} s", file=sys.stderr, flush=True)


def main() -> None:
    """Measure one case and print it; write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=sorted(CASES), default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = compared(options.case, options.device, options.dtype, options.tolerance)
    print(json.dumps(result, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
