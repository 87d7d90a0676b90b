"""What a gradient, a kernel and a step cost, against N, h, L and the number of networks in a batch.

python -m benchmarks scaling [--device cpu|cuda] [--dtype float64|float32] [--out FILE.json]

Fully connected softplus networks on points of the sphere in 64 dimensions. One size is varied at a time around N = 256,
h = 256, L = 3, 4 networks. Beside each time stands the rate of plain matrix products of the same shapes, measured in
the same run, and the share of it that the operations that must be done reach; the powers come from `fit.exponent`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

import fit
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators.rosenbrock import step
from simulate.networks.first_layer import MAX_GRAM_POINTS, Dense
from simulate.networks.fully_connected import FullyConnected
from theory.activation import Activation

BASE = {"n": 256, "width": 256, "depth": 3, "networks": 4}
VARIED = {
    "n": (64, 128, 256, 512, 1024),
    "width": (64, 128, 256, 512, 1024),
    "depth": (1, 2, 3, 5, 9),
    "networks": (1, 2, 4, 8, 16),
}
INPUTS = 64
_SECONDS = 0.3  # that each piece is repeated for


def fastest(work: Callable[[], object], device: str) -> float:
    """Seconds of the fastest repetition; on a CPU processor time, so that other programs on the machine harm little."""

    def once() -> float:
        clock = time.process_time if device == "cpu" else time.perf_counter
        start = clock()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        return clock() - start

    once()
    times = [once()]
    while sum(times) < _SECONDS:
        times.append(once())
    return min(times)


def operations(n: int, width: int, depth: int, networks: int) -> dict[str, float]:
    """Floating point operations of a gradient (forward, backward, J^T c) and of a kernel on n points."""
    hidden = (depth - 1) * width**2
    gradient = 2.0 * n * (2 * INPUTS * width + 3 * hidden + 2 * width)
    kernel = 2.0 * n**2 * ((2 * depth - 1) * width + width)
    if n > MAX_GRAM_POINTS:  # else inner products of inputs are kept
        kernel += 2.0 * n**2 * INPUTS / networks
    return {"gradient": networks * gradient, "kernel": networks * kernel}


def product_rate(n: int, width: int, networks: int, device: str, dtype: torch.dtype) -> float:
    """Operations a second of batched products (n × h)(h × h)."""
    a = torch.randn(networks, n, width, device=device, dtype=dtype)
    b = torch.randn(networks, width, width, device=device, dtype=dtype)
    return 2.0 * networks * n * width**2 / fastest(lambda: torch.bmm(a, b), device)


def measure(n: int, width: int, depth: int, networks: int, device: str, dtype: torch.dtype) -> dict[str, float]:
    """One row: seconds of each piece for the whole batch, and rates."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, INPUTS, generator=generator, dtype=torch.float64)
    x = (x * INPUTS**0.5 / x.norm(dim=1, keepdim=True)).to(device, dtype)
    y = torch.sign(x[:, 0])
    network = FullyConnected(INPUTS, width, depth, Activation("softplus"))
    weights = [w.to(device, dtype) for w in network.initial_weights(0, range(networks))]
    alpha = torch.ones(networks, device=device, dtype=dtype)
    inputs = Dense.on_inputs(x)
    flow = GradientFlow(network, LOSSES["softhinge"], inputs, y, alpha, network.output(weights, inputs))
    point = flow(weights)
    dt = torch.full_like(alpha, 1.0)  # stiff: all parts of a step are there

    def gradient() -> None:
        linearisation = flow(weights)
        linearisation.weight_velocity()

    seconds = {
        "gradient": fastest(gradient, device),
        "kernel": fastest(point.linearisation.kernel, device),
        "step": fastest(lambda: step(flow, weights, point, dt), device),
    }
    rate = product_rate(n, width, networks, device, dtype)
    done = operations(n, width, depth, networks)
    return {
        **{f"{name}_s": float(f"{value:.4g}") for name, value in seconds.items()},
        "product_gflops": round(rate / 1e9, 2),
        **{f"{name}_share_of_product_rate": round(done[name] / seconds[name] / rate, 3) for name in done},
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    dtype = getattr(torch, options.dtype)
    rows = []
    for varied, values in VARIED.items():
        for value in values:
            size = {**BASE, varied: value}
            row = {"varied": varied, **size, **measure(**size, device=options.device, dtype=dtype)}
            print(json.dumps(row), flush=True)
            rows.append(row)
    powers = {}
    for varied, piece in itertools.product(VARIED, ("gradient_s", "kernel_s", "step_s")):
        chosen = [row for row in rows if row["varied"] == varied]
        fitted = fit.exponent([row[varied] for row in chosen[-3:]], [row[piece] for row in chosen[-3:]])
        powers[f"{piece[:-2]} ~ {varied}"] = round(fitted.value, 2)
    result = {
        "device": torch.cuda.get_device_name() if options.device != "cpu" else f"cpu ({platform.machine()})",
        "threads": 1,
        "dtype": options.dtype,
        "powers of the largest three sizes": powers,
        "rows": rows,
    }
    print(json.dumps(powers, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
