"""How near tangent kernels come to the speed of matrix products measured beside them.

    python -m benchmarks.ntk [--device cpu|cuda] [--out benchmarks/results/ntk-cpu.json]

``fraction`` is that of the rate of one large GEMM of the same dtype: the operations that must be done (the products of
each layer's Gram matrices for n (n + 1)/2 pairs of points, without that of the inputs where it is kept from kernel to
kernel; of a convolution the cheaper of its two forms) over the time that was taken, in units of that rate. Both are
measured in turns, the best of several each; on a CPU one thread and processor time, so that another load on the machine
harms neither more than the other. "kernel" is one kernel held in memory, "compare" what a held-out kernel change takes:
two kernels, all norms, nothing held.

``bound`` (fully connected) is the fraction that would be reached if products ran at that rate and everything else at
the bandwidth of an elementwise product of two such kernels' tiles, measured beside it. It counts that tiles on the
diagonal are formed whole: up to 128 points nothing is saved by symmetry, and 1/2 is the most that can be reached.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from simulate.measure.memory import PeakMemory
from simulate.networks import ntk
from simulate.networks.architecture import Architecture
from simulate.networks.convolutional import Convolutional
from simulate.networks.first_layer import MAX_GRAM_POINTS
from simulate.networks.fully_connected import FullyConnected
from simulate.networks.linearisation import Linearisation
from simulate.training.precision import full_precision
from theory.activation import Activation

GEMM = {"cpu": 1024, "cuda": 8192}
REPEATS = 5
#: members, points, width, depth; None for the image shape: fully connected on 784 inputs
CASES: tuple[tuple[tuple[int, int, int] | None, int, int, int, int], ...] = (
    (None, 50, 100, 64, 3),
    (None, 8, 500, 128, 3),
    (None, 1, 2000, 128, 3),
    (None, 1, 2000, 512, 3),
    (None, 1, 2000, 1000, 3),
    ((28, 28, 1), 2, 300, 50, 4),
)
LARGEST = (None, 1, 10_000, 100, 3)


def seconds(work: Callable[[], object], device: str) -> float:
    """Time of one call."""
    if device == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def operations(network: Architecture, members: int, n: int) -> float:
    """Multiplications and additions of one kernel that can't be left out."""
    pairs = n * (n + 1) / 2
    if isinstance(network, Convolutional):
        total = 2.0 * network.width * pairs
        for layer in network.convolutions:
            gradients = 2.0 * network.width * layer.columns * (pairs + n * layer.positions)
            patches = 2.0 * (network.width + layer.columns) * pairs * layer.positions**2
            total += min(gradients, patches)
        return members * total
    return 2.0 * pairs * columns(network, members, n)


def columns(network: Architecture, members: int, n: int) -> int:
    """Columns of the matrices whose Gram matrices a kernel takes: of the inputs themselves where these are not kept."""
    return (network.input_dim if n > MAX_GRAM_POINTS else 0) + members * network.width * 2 * network.depth


def passes(network: Architecture, kernels: int) -> float:
    """Entries read or written for each entry of a kernel ("compare": of two, with their difference and norms)."""
    launches = (
        2 * network.depth + 3 * network.depth + 3 * network.depth
    )  # Gram matrices, their products, sums over layers
    return launches if kernels == 1 else 2 * launches + 7 * (network.depth + 1) + 5


def bound(network: Architecture, now: Linearisation, rate: float, bandwidth: float, kernels: int) -> float:
    """The fraction that products at ``rate`` (operations a second) and passes at ``bandwidth`` (bytes) allow."""
    members, n = now.output.shape
    sides = [rows.stop - rows.start for rows in ntk.tile_slices(n, now.tile_size)]
    entries = sum(a * b for k, a in enumerate(sides) for b in sides[k:])
    products = kernels * 2.0 * entries * columns(network, members, n)
    passed = members * entries * passes(network, kernels) * now.output.element_size()
    return kernels * operations(network, members, n) / (products + passed * rate / bandwidth)


def linearised(case, dtype: torch.dtype, device: str) -> tuple[Architecture, Linearisation, Linearisation]:
    """Two linearisations of the case's networks, at weights and a little beside them."""
    shape, members, n, width, depth = case
    activation = Activation("softplus")
    network: Architecture
    network = FullyConnected(784, width, depth, activation) if shape is None else Convolutional(
        shape, width, depth, activation)  # fmt: skip
    weights = [w.to(device, dtype) for w in network.initial_weights(0, range(members))]
    x = torch.randn(n, network.input_dim, generator=torch.Generator().manual_seed(0)).to(device, dtype)
    return network, network.linearise(weights, x), network.linearise([1.01 * w for w in weights], x)


def rows(device: str) -> Iterator[dict]:
    """One case after the other."""
    for dtype in (torch.float64, torch.float32):
        large = GEMM[torch.device(device).type]
        a = torch.randn(large, large, dtype=dtype, device=device)
        for case in (*CASES, LARGEST):
            peak = PeakMemory(device)
            network, now, before = linearised(case, dtype, device)
            works: dict[str, Callable[[], object]] = {"gemm": lambda a=a: a @ a}  # type: ignore[misc]
            side = min(now.tile_size, case[2])
            tiles = torch.ones(2, case[1], side, side, dtype=dtype, device=device)
            works["pass"] = lambda tiles=tiles: tiles[0].mul_(tiles[1])  # type: ignore[misc]
            if case is not LARGEST:
                works["kernel"] = lambda now=now: now.kernel()  # type: ignore[misc]
            works["compare"] = lambda now=now, before=before: ntk.compare(now, before)  # type: ignore[misc]
            best = dict.fromkeys(works, float("inf"))
            for repeat in range(REPEATS + 1 if case is not LARGEST else 2):
                for name, work in works.items():
                    taken = [seconds(work, device) for _ in range(5 if name in ("gemm", "pass") else 1)]
                    if repeat:  # the first round is for warming up
                        best[name] = min(best[name], *taken)
            rate = 2.0 * large**3 / best["gemm"]
            bandwidth = 3.0 * tiles[0].numel() * tiles.element_size() / best["pass"]
            needed = operations(network, case[1], case[2])
            yield {
                "architecture": network.name,
                "dtype": str(dtype).removeprefix("torch."),
                **dict(zip(("members", "n", "width", "depth"), case[1:], strict=True)),
                "gemm_gflops": round(rate / 1e9, 1),
                "pass_gbytes": round(bandwidth / 1e9, 1),
                **{f"{name}_s": round(best[name], 4) for name in works if name in ("kernel", "compare")},
                **({"kernel_fraction": round(needed / best["kernel"] / rate, 2)} if "kernel" in best else {}),
                "compare_fraction": round(2 * needed / best["compare"] / rate, 2),
                **(
                    {}
                    if isinstance(network, Convolutional)
                    else {
                        "kernel_bound": round(bound(network, now, rate, bandwidth, 1), 2),
                        "compare_bound": round(bound(network, now, rate, bandwidth, 2), 2),
                    }
                ),
                "peak_memory_mib": peak.bytes() >> 20,
            }


def main() -> None:
    """Print and write one object per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    with full_precision():
        for row in rows(options.device):
            print(json.dumps(row), flush=True)
            rows.append(row)
    result = {
        "device": torch.cuda.get_device_name() if options.device != "cpu" else "cpu",
        "rows": rows,
    }
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
