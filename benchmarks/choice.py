"""What the choice of the integrator counts for a step against a gradient, beside what they take.

    python -m benchmarks.choice [--out benchmarks/results/choice-cpu.json]

One stiff step of the W-method (kernel, factor and all) against one gradient of Chebyshev's stages, on one thread, in
processor time, the best of several. The counts are those of `simulate.planning.integrator_choice`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from simulate import Campaign
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import Batch, Chebyshev, chebyshev, rosenbrock
from simulate.networks.fully_connected import FullyConnected
from simulate.planning.integrator_choice import STEPS, chebyshev_gradients, operations
from theory.activation import Activation

#: N, h, L, data set (which says how many inputs), networks in the batch
CASES = (
    (100, 32, 2, "digits", 8), (100, 64, 2, "digits", 8), (100, 64, 3, "digits", 8), (100, 256, 3, "digits", 4),
    (200, 32, 3, "digits", 8), (200, 64, 3, "digits", 8), (200, 128, 3, "digits", 4), (500, 128, 3, "digits", 2),
    (1000, 64, 3, "digits", 1), (500, 64, 1, "mnist", 2), (500, 32, 3, "mnist", 2), (500, 128, 3, "mnist", 2),
    (500, 512, 3, "mnist", 1), (500, 128, 5, "mnist", 2), (1000, 256, 1, "mnist", 1), (1000, 100, 3, "mnist", 1),
    (1000, 512, 3, "mnist", 1), (2000, 128, 3, "mnist", 1),
)  # fmt: skip
INPUTS = {"digits": 64, "mnist": 784}
STAGES = 10


def best(work: Callable[[], object]) -> float:
    """Processor seconds of the fastest of a few calls."""
    work()
    taken, started = [], time.perf_counter()
    while len(taken) < 7 and (len(taken) < 2 or time.perf_counter() - started < 4.0):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def measured(n: int, width: int, depth: int, inputs: int, members: int, activation: str) -> tuple[float, float]:
    """Seconds of a step and of a gradient, for one network of the batch."""
    net = FullyConnected(inputs, width, depth, Activation(activation))
    x = torch.randn(n, inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x *= math.sqrt(inputs) / x.norm(dim=1, keepdim=True)
    weights, layer, _ = net.coordinates(net.initial_weights(0, range(members)), x, x)
    alpha = torch.full((members,), 1.0 / math.sqrt(width), dtype=torch.float64)
    # with the quadratic hinge all points are stiff from the start
    flow = GradientFlow(net, LOSSES["quadratic_hinge"], layer, torch.sign(x[:, 0]), alpha, net.output(weights, layer))
    point, dt = flow(weights), torch.ones_like(alpha)
    state = Chebyshev().init(flow, weights, point)
    none = torch.zeros(members, dtype=torch.int32)
    batch = Batch(torch.arange(members), flow, weights, point, 0.0 * dt, 1e-3 * dt, none, state)
    stages = torch.full((members,), STAGES)
    step = best(lambda: rosenbrock.step(flow, weights, point, dt))
    gradients = best(lambda: chebyshev._stages(batch, list(state[3:]), stages))
    return step / members, gradients / members / (STAGES - 1)


def counted(n: int, width: int, depth: int, data: str) -> tuple[float, float]:
    """Operations of a step and of a gradient."""
    fields = {
        "name": "x", "dataset": data, "n_train": n, "n_test": 10, "depth": depth, "activation": "relu",
        "widths": [width], "root_h_alpha": [1.0], "seeds": 1,
    }  # fmt: skip
    counts = operations(Campaign.from_dict({"name": "x", "experiment": [fields]}).experiment[0], width)
    return counts["rosenbrock"] / STEPS, counts["chebyshev"] / chebyshev_gradients(n)


def main() -> None:
    """Print and write a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for n, width, depth, data, members in CASES:
        for activation in ("softplus", "relu"):
            step, gradient = measured(n, width, depth, INPUTS[data], members, activation)
            row = {"n": n, "width": width, "depth": depth, "data": data, "activation": activation,
                   "step_s": round(step, 6), "gradient_s": round(gradient, 7)}  # fmt: skip
            counts = counted(n, width, depth, data)
            print(json.dumps(row), f"{step / gradient:.2f} counted {counts[0] / counts[1]:.2f}", flush=True)
            rows.append(row)
    if options.out is not None:
        options.out.write_text(json.dumps({"device": "cpu", "threads": 1, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
