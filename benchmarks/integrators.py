"""Networks per second of the engine against the published integrator, side by side in one run, at equal accuracy.

    python -m benchmarks.integrators [--case small|gemm] [--device cpu|cuda] [--out FILE.json]

All use the same forward and backward passes, threads, dtype and stop. Euler's method trains one network at a time, as
the published code does, and all together (integrator ``euler`` of the engine); the engine one at a time and all
together, by the integrator that a campaign gets. Reported are seconds, evaluations, the ratios of networks per second,
and the ratio of kernel changes.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.euler import train
from simulate import Campaign, Experiment, load_data, run_task
from simulate.flow import GradientFlow
from simulate.integrators import integrator_of
from simulate.losses import LOSSES
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.observe import HeldOut
from theory import Activation

CASES = {
    "small": {
        "dataset": "digits", "n_train": 100, "n_test": 100, "depth": 2, "activation": "softplus", "widths": [64],
        "root_h_alpha": [10.0 ** (i / 2) for i in range(-6, 7)], "seeds": 4, "tolerance": 5e-3,
    },
    "gemm": {
        "dataset": "fashion_mnist", "n_train": 500, "n_test": 200, "depth": 3, "activation": "softplus",
        "widths": [128], "root_h_alpha": [1e-2, 1.0, 1e2], "seeds": 4, "tolerance": 5e-3,
    },
}  # fmt: skip
MAX_EVALUATIONS = 20_000


def experiment(case: str, **changes) -> tuple[Campaign, Experiment]:
    """The case as a campaign of one experiment."""
    campaign = Campaign.from_dict({"name": case, "experiment": [{"name": case, **CASES[case], **changes}]})
    return campaign, campaign.experiment[0]


def engine(case: str, device: str, **changes) -> tuple[float, np.ndarray, np.ndarray]:
    """Seconds, kernel changes and evaluations of a batch."""
    campaign, one = experiment(case, **changes)
    data = load_data(one, None)
    (task,) = campaign.tasks()
    start = time.perf_counter()
    found = run_task(one, task, data, device=device)
    return time.perf_counter() - start, found["kernel_change"].values[0], found["gradient_evaluations"].values[0]


def euler(case: str, device: str, amplitude: float) -> tuple[float, float, int, bool]:
    """Seconds, kernel change, evaluations and whether it converged, for seed 0 at one amplitude."""
    _, one = experiment(case)
    data = load_data(one, None)
    x, y, x_test = (torch.as_tensor(v, dtype=torch.float64, device=device) for v in
                    (data.x_train, data.y_train, data.x_test))  # fmt: skip
    width = one.widths[0]
    network = FullyConnected(x.shape[1], width, one.depth, Activation(one.activation))
    initial = [w.to(device) for w in network.initial_weights(0, [0])]
    alpha = torch.tensor([amplitude / math.sqrt(width)], dtype=torch.float64, device=device)
    held_out = HeldOut(
        network, initial, torch.zeros(1, dtype=torch.int64, device=device), alpha, Dense.of(x_test), one.n_kernel
    )
    flow = GradientFlow(network, LOSSES[one.loss], Dense.of(x), y, alpha, network.output(initial, x))
    start = time.perf_counter()
    trained = train(flow, initial, MAX_EVALUATIONS)
    seconds = time.perf_counter() - start
    change, _ = held_out.kernel_change(torch.zeros(1, dtype=torch.int64, device=device), trained.weights)
    return seconds, change.item(), trained.evaluations, trained.converged


def main() -> None:
    """Measure one case and print it; write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=sorted(CASES), default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    engine(options.case, options.device, root_h_alpha=[1.0], seeds=1)  # warm
    amplitudes = experiment(options.case)[1].amplitudes
    seconds, changes, evaluations = engine(options.case, options.device)
    baseline = {"dynamics": {"name": "gradient_flow", "integrator": "euler"}, "max_steps": MAX_EVALUATIONS}
    euler_seconds, *_ = engine(options.case, options.device, **baseline)
    rows = []
    for a in amplitudes:
        single, change, own = engine(options.case, options.device, root_h_alpha=[float(a)], seeds=1)
        euler_s, reference, steps, converged = euler(options.case, options.device, float(a))
        rows.append(
            {
                "A": float(a),
                "euler_s": round(euler_s, 3),
                "euler_evaluations": steps,
                "euler_converged": converged,
                "engine_single_s": round(single, 3),
                "engine_evaluations": int(own[0, 0]),
                "kernel_change_ratio": round(float(change[0, 0] / reference), 5),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    mean = float(np.mean([r["euler_s"] for r in rows]))
    result = {
        "case": options.case,
        "device": torch.cuda.get_device_name() if options.device != "cpu" else "cpu",
        "threads": torch.get_num_threads(),
        "dtype": "float64",
        "networks_in_batch": int(changes.size),
        "integrator": integrator_of(experiment(options.case)[1]),
        "engine_batch_s": round(seconds, 3),
        "euler_batch_s": round(euler_seconds, 3),
        "batched_against_batched_euler": round(euler_seconds / seconds, 1),
        "mean_evaluations": float(evaluations.mean()),
        "euler_mean_s": round(mean, 3),
        "batched_ratio": round(mean * changes.size / seconds, 1),
        "single_ratio": round(mean / float(np.mean([r["engine_single_s"] for r in rows])), 1),
        "rows": rows,
    }
    print(json.dumps({k: v for k, v in result.items() if k != "rows"}))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
