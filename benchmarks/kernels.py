"""How long infinite-width kernels and parameter-free curves take.

python -m benchmarks.kernels [--out benchmarks/results/kernels.json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from theory import infinite_width_kernels
from theory.activation import Activation
from theory.curves import deep_linear_curve, mean_field_curve

N, DEPTH, DIMENSION = 2000, 3, 50
KERNELS = (
    ("relu", True),
    ("gelu", True),
    ("erf", True),
    ("relu", False),
    ("gelu", False),
    ("softplus", True),
    ("tanh", True),
    ("min(max(z, -1), 1)", True),
    ("softplus", False),
    ("tanh", False),
)


def sphere(n: int, d: int) -> np.ndarray:
    """Points with |x|² = d."""
    x = np.random.default_rng(0).standard_normal((n, d))
    return x * np.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return round(time.perf_counter() - start, 3)


def rows() -> Iterator[dict]:
    """One case after the other."""
    for name, on_sphere in KERNELS:
        x = sphere(N, DIMENSION) if on_sphere else np.random.default_rng(0).standard_normal((N, DIMENSION))
        activation = Activation(name)
        infinite_width_kernels(activation, 1, x[:2])  # parsing and compiling, once a process
        seconds = timed(lambda a=activation, x=x: infinite_width_kernels(a, DEPTH, x))  # type: ignore[misc]
        yield {"what": "NNGP and NTK", "activation": name, "sphere": on_sphere, "n": N, "depth": DEPTH, "s": seconds}
    x = sphere(100, 10)
    y = np.sign(x[:, 0])
    for name in ("softplus", "relu", "tanh"):
        for a in (1e-2, 1.0, 1e2):
            seconds = timed(lambda n=name, a=a: mean_field_curve(n, x, y, a, particles=10_000))  # type: ignore[misc]
            yield {"what": "mean-field particles", "activation": name, "n": 100, "particles": 10_000, "A": a,
                   "s": seconds}  # fmt: skip
    for depth in (1, 3, 5):
        for a in (1e-2, 1.0, 1e2):
            seconds = timed(lambda d=depth, a=a: deep_linear_curve(d, x[:5], y[:5], a))  # type: ignore[misc]
            yield {"what": "deep linear theory", "depth": depth, "n": 5, "A": a, "s": seconds}


def main() -> None:
    """Print and write one object per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/kernels.json"))
    out = parser.parse_args().out
    results = []
    for row in rows():
        print(json.dumps(row), flush=True)
        results.append(row)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
