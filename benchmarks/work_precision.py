"""Work against precision of the integrators: what an error in kernel change and outputs costs.

    python -m benchmarks.work_precision [--out FILE.csv.gz] [--figure-only]

Single networks on scikit-learn's digits, width 64, one thread: softplus, ReLU, tanh; L = 1, 3, 5; A = 1e-3, 1, 1e3;
N = 100 and 1,000. Each is trained by the W-method, the kernel flow and Chebyshev's method at four tolerances, and by
the published Euler rule where it does not stall (smooth activations, N = 100). Errors are relative to Chebyshev's
solution at a tolerance of 3e-6; for smooth activations with L = 1, 3 at N = 100 that one is compared with scipy's
DOP853 (the row's ``reference_error``), but for saturated tanh networks, where it takes too long. On ReLU explicit steps
do not get smaller errors from smaller tolerances without end, and the reference is the W-method's solution at 1e-4.
Time is the processor's, not the wall's. An hour or two on one free core; what is done is kept, and a second call goes
on.

Saturated tanh networks (A = 1e-3) are sensitive: most tolerances and the published rule are off by per cents to tens
of them. With L = 3, N = 100, Chebyshev's method comes within 1 % of the reference at a tolerance of 1e-4. With L = 1,
N = 1,000 the reference itself ends at ``MOST_STEPS``, long before the stop; other methods take up to the time limit.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.integrate import solve_ivp

from simulate import Campaign, load_data, run_task
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.tasks import campaign_tasks
from theory.activation import Activation

RESULTS = Path(__file__).parent / "results"
RESULT = RESULTS / "work_precision.csv.gz"
WIDTH = 64
REFERENCE = {"smooth": ("chebyshev", 3e-6), "relu": ("rosenbrock", 1e-4)}
TOLERANCES = (3e-2, 1e-2, 3e-3, 1e-3)
AMPLITUDES = (1e-3, 1.0, 1e3)
NAMES, DEPTHS, POINTS = ("softplus", "relu", "tanh"), (1, 3, 5), (100, 1000)
CELLS = list(itertools.product(NAMES, DEPTHS, AMPLITUDES, POINTS))
CELLS.sort(key=lambda cell: (cell[2] < 1.0, cell[0] == "tanh", cell[3]))  # the quick ones first
INTEGRATORS = ("rosenbrock", "kernel_flow", "chebyshev", "euler")
MOST_STEPS = 20_000
EULER_STEPS = 4000
TIME_LIMIT = 600.0  # seconds a run; what is not done by then is shown as not done


def trained(cell, integrator: str, tolerance: float, max_steps: int = MOST_STEPS) -> dict:
    """One fully connected network on digits: see `measured`."""
    name, depth, a, n = cell
    fields = {"dataset": "digits", "depth": depth, "activation": name, "widths": [WIDTH], "root_h_alpha": [a]}
    return measured({**fields, "n_train": n, "max_steps": max_steps}, integrator, tolerance)


def measured(fields: dict, integrator: str, tolerance: float) -> dict:
    """Train one network: kernel change, times, outputs, gradients, steps, seconds of processor time, status."""
    flow = {"name": "gradient_flow", "integrator": integrator}
    shared = {"name": "one", "seeds": 1, "n_test": 200, "time_limit": TIME_LIMIT, "dynamics": flow}
    campaign = Campaign.from_dict({"name": "one", "experiment": [{**shared, **fields, "tolerance": tolerance}]})
    (experiment,), (task,) = campaign.experiment, campaign_tasks(campaign)
    data = load_data(experiment)
    start = time.process_time()
    result = run_task(experiment, task, data).isel(width=0, root_h_alpha=0, seed=0)
    return {
        "seconds": time.process_time() - start,
        "evaluations": int(result.gradient_evaluations),
        "steps": int(result.steps),
        "status": int(result.status),
        "kernel_change": float(result.kernel_change),
        "time_half": float(result.time_half),
        "output": result.test_output.values.astype(float),
    }


def dop853(cell) -> np.ndarray:
    """Outputs of the same network on the test points by scipy's DOP853, with the stop located as its event."""
    name, depth, a, n = cell
    experiment = Campaign.from_dict({"name": "x", "experiment": [{
        "name": "one", "dataset": "digits", "n_train": n, "n_test": 200, "depth": depth, "activation": name,
        "widths": [WIDTH], "root_h_alpha": [a], "seeds": 1}]}).experiment[0]  # fmt: skip
    data = load_data(experiment, None)
    x, y, x_test = (torch.as_tensor(v) for v in (data.x_train, data.y_train, data.x_test))
    net = FullyConnected(x.shape[1], WIDTH, depth, Activation(name))
    start = net.initial_weights(0, [0])
    alpha = torch.tensor([a / math.sqrt(WIDTH)], dtype=torch.float64)
    flow = GradientFlow(net, LOSSES["softhinge"], Dense.on_inputs(x), y, alpha, net.output(start, x))
    sizes = np.cumsum([w.numel() for w in start])[:-1]

    def weights(flat):
        return [torch.as_tensor(p).reshape(w.shape) for p, w in zip(np.split(flat, sizes), start, strict=True)]

    def rate(_, flat):
        point = flow(weights(flat))
        return torch.cat([g.flatten() for g in point.weight_velocity()]).numpy()

    def stop(_, flat):
        return flow.progress(flow.predictor(net.output(weights(flat), flow.inputs))).item()

    stop.terminal = True
    flat = torch.cat([w.flatten() for w in start]).numpy()
    tolerance = 1e-7 / max(1.0, alpha.item())  # F = alpha (f - f_0) magnifies errors of the weights
    solution = solve_ivp(rate, (0, 1e6), flat, method="DOP853", rtol=tolerance, atol=tolerance, events=stop)
    end = weights(solution.y[:, -1])
    return (alpha * (net.output(end, x_test) - net.output(start, x_test)))[0].numpy()


def distance(output: np.ndarray, exact: np.ndarray) -> float:
    """Relative rms distance of outputs."""
    return float(np.sqrt(np.mean((output - exact) ** 2) / np.mean(exact**2)))


def applicable(cell) -> tuple[str, ...]:
    """The integrators that a cell is solved by: the published rule stalls on ReLU, and takes hours for many points."""
    return INTEGRATORS if cell[0] != "relu" and cell[3] == 100 else INTEGRATORS[:-1]


def _cell(row: dict) -> tuple:
    """The cell and the integrator of a row."""
    return row["activation"], row["depth"], row["A"], row["n_train"], row["integrator"]


def study(cell, integrators: Sequence[str]) -> list[dict]:
    """The rows of one cell that belong to these integrators."""
    name, depth, a, n = cell
    exact = trained(cell, *REFERENCE["relu" if name == "relu" else "smooth"])
    checked = n == 100 and depth <= 3 and (name == "softplus" or (name == "tanh" and a >= 1.0))
    reference_error = distance(exact["output"], dop853(cell)) if checked else None
    rows = []
    for integrator in integrators:
        for tolerance in TOLERANCES if integrator != "euler" else (None,):
            steps = EULER_STEPS if integrator == "euler" else MOST_STEPS
            run = trained(cell, integrator, tolerance or 1e-2, steps)
            rows.append(
                {
                    "activation": name, "depth": depth, "A": a, "n_train": n, "width": WIDTH,
                    "integrator": integrator, "tolerance": tolerance, "status": run["status"],
                    "evaluations": run["evaluations"], "seconds": round(run["seconds"], 3),
                    "kernel_change_error": abs(run["kernel_change"] / exact["kernel_change"] - 1),
                    "output_error": distance(run["output"], exact["output"]),
                    "reference_evaluations": exact["evaluations"], "reference_status": exact["status"],
                    "reference_error": reference_error,
                }
            )  # fmt: skip
    return rows


def write(rows: list[dict], path: Path) -> None:
    """Write rows to a CSV file, numbers to six digits."""
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def read(path: Path) -> list[dict]:
    """Return the rows of a CSV file, what is empty as None; none if there is no file."""
    if not path.exists():
        return []
    return [{k: None if pd.isna(v) else v for k, v in row.items()} for row in pd.read_csv(path).to_dict("records")]


COLOURS = {"rosenbrock": "C0", "kernel_flow": "C3", "chebyshev": "C1", "euler": "C2"}
LABELS = {
    "rosenbrock": "W-method",
    "kernel_flow": "kernel flow",
    "chebyshev": "Chebyshev",
    "euler": "Euler, published rule",
}
MARKERS = {1e-3: "v", 1.0: "o", 1e3: "^"}


def draw(rows: list[dict], work: str, label: str, path: Path) -> None:
    """One panel for each activation (columns) and depth or N (rows): error of the kernel change against work."""
    panels = list(itertools.product(POINTS, DEPTHS))
    figure, axes = plt.subplots(len(panels), len(NAMES), figsize=(10, 15), sharex=True, sharey=True)
    for (n, depth), line in zip(panels, axes, strict=True):
        for name, axis in zip(NAMES, line, strict=True):
            axis.set_title(f"{name}, L = {depth}, N = {n:,}", fontsize=9)
            for a in AMPLITUDES:
                for integrator, colour in COLOURS.items():
                    cell = (name, depth, a, n, integrator)
                    of_cell = [r for r in rows if _cell(r) == cell and r["status"] == r["reference_status"] == 1]
                    if of_cell:
                        errors = [max(r["kernel_change_error"], 1e-6) for r in of_cell]
                        axis.loglog([r[work] for r in of_cell], errors, MARKERS[a] + "-", color=colour, markersize=4,
                                    linewidth=1)  # fmt: skip
            if not axis.lines:
                axis.text(0.5, 0.5, "not run", ha="center", transform=axis.transAxes)
            axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel(label)
    for axis in axes[:, 0]:
        axis.set_ylabel("error of kernel change")
    shapes = [plt.Line2D([], [], color="grey", marker=m, linestyle="", label=f"A = {a:g}") for a, m in MARKERS.items()]
    lines = [plt.Line2D([], [], color=c, label=LABELS[i]) for i, c in COLOURS.items()]
    figure.legend(handles=lines + shapes, ncol=7, loc="lower center", frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    plt.rcParams["svg.hashsalt"] = "lazyrich"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Run what is missing, write the rows, draw the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--figure-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = read(options.out)
    done = {(r["activation"], r["depth"], r["A"], r["n_train"], r["integrator"]) for r in rows}
    for cell in CELLS if not options.figure_only else ():
        missing = [integrator for integrator in applicable(cell) if (*cell, integrator) not in done]
        if missing:
            new = study(cell, missing)
            rows += new
            write(rows, options.out)
            last = {r["integrator"]: (r["evaluations"], f"{r['kernel_change_error']:.1e}") for r in new}
            print(cell, new[0]["reference_error"], last, flush=True)
    draw(rows, "evaluations", "gradient evaluations", options.out.with_name("work_precision_evaluations.svg"))
    draw(rows, "seconds", "processor seconds", options.out.with_name("work_precision_seconds.svg"))


if __name__ == "__main__":
    main()
