"""Convolutional networks: gradients, time and error of each integrator.

    python -m benchmarks.convolutions [--n 100]

The article's network (four convolutions, h = 6) on images of Fashion-MNIST, softplus and ReLU, A = 1e-4, 1, 1e4, one
network each on one thread, at a tolerance of 3e-2. Errors are relative to the kernel flow's solution at 3e-3. Time is
the processor's. From the counts follows which integrator such experiments get (`simulate.planning.integrator_choice`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from benchmarks.work_precision import RESULTS, distance, measured

INTEGRATORS = ("kernel_flow", "rosenbrock", "chebyshev")
AMPLITUDES = (1e-4, 1.0, 1e4)
TOLERANCE, REFERENCE = 3e-2, ("kernel_flow", 3e-3)


def trained(activation: str, a: float, n: int, integrator: str, tolerance: float) -> dict:
    """One convolutional network: see `benchmarks.work_precision.measured`."""
    fields = {
        "dataset": "fashion_mnist", "architecture": "cnn", "depth": 4, "activation": activation, "widths": [6],
        "root_h_alpha": [a], "n_train": n, "n_kernel": 50,
    }  # fmt: skip
    return measured(fields, integrator, tolerance)


def study(activation: str, a: float, n: int) -> list[dict]:
    """A row for each integrator."""
    exact = trained(activation, a, n, *REFERENCE)
    rows = []
    for integrator in INTEGRATORS:
        run = trained(activation, a, n, integrator, TOLERANCE)
        rows.append(
            {
                "activation": activation, "A": a, "n_train": n, "integrator": integrator, "tolerance": TOLERANCE,
                "status": run["status"], "gradients": run["evaluations"], "steps": run["steps"],
                "seconds": round(run["seconds"], 2),
                "kernel_change_error": abs(run["kernel_change"] / exact["kernel_change"] - 1),
                "time_half_error": abs(run["time_half"] / exact["time_half"] - 1),
                "output_error": distance(run["output"], exact["output"]),
            }
        )  # fmt: skip
        print(json.dumps(rows[-1]), flush=True)
    return rows


def mean(rows: list[dict], integrator: str, what: str) -> float:
    """Geometric mean over all cases of one integrator."""
    return float(np.exp(np.mean([np.log(r[what]) for r in rows if r["integrator"] == integrator])))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100, help="training points")
    parser.add_argument("--out", type=Path, default=RESULTS / "convolutions-cpu.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    trained("softplus", 1e4, 10, *REFERENCE)  # what is loaded and compiled at first use is not counted
    trained("relu", 1e4, 10, *REFERENCE)
    rows = [row for name in ("softplus", "relu") for a in AMPLITUDES for row in study(name, a, options.n)]
    options.out.write_text(json.dumps({"device": "cpu", "threads": 1, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
