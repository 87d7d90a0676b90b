"""Time the infinite-width kernels: ``python -m benchmarks.kernels`` prints seconds as JSON."""

from __future__ import annotations

import json
import time

import numpy as np

from theory.kernels import infinite_width_kernels

N, DEPTH, DIMENSION = 2000, 3, 50
CASES = (
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
    ("where(z > 0, z, tanh(z))", True),
)


def main() -> None:
    """Print one object per case."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((N, DIMENSION))
    on_sphere = inputs * np.sqrt(DIMENSION) / np.linalg.norm(inputs, axis=1, keepdims=True)
    rows = []
    for activation, sphere in CASES:
        x = on_sphere if sphere else inputs
        infinite_width_kernels(activation, 1, x[:2])  # parsing and compiling, once a process
        start = time.perf_counter()
        infinite_width_kernels(activation, DEPTH, x)
        seconds = round(time.perf_counter() - start, 3)
        rows.append({"activation": activation, "sphere": sphere, "n": N, "depth": DEPTH, "seconds": seconds})
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
