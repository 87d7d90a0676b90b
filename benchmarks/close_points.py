"""Infinite-width kernels of points with large norms and close directions, beside those of another revision.

    nice -n 10 python -m benchmarks.close_points --before FOLDER     writes benchmarks/results/close_points.json

Directions within angles of 1e-3, norms |x|/sqrt(d) from 1 to 10, two hidden layers. FOLDER holds the other revision's
sources (``git worktree add FOLDER REVISION``). Both are timed in processes of their own, one after the other, and what
counts is processor time, parsing left out; differences are relative to the largest entry of a kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from theory import Activation, infinite_width_kernels

RESULTS = Path(__file__).parent / "results" / "close_points.json"
DEPTH, DIMENSION, ANGLE = 2, 5, 1e-3
CASES = {"tanh": 100, "hardtanh": 100, "max(z - 1, tanh(z))": 50}


def points(n: int) -> np.ndarray:
    """Points around one direction, of shape (n, DIMENSION)."""
    generator = np.random.default_rng(0)
    x = np.ones(DIMENSION) + ANGLE * generator.standard_normal((n, DIMENSION))
    return x * generator.uniform(1, 10, (n, 1)) * np.sqrt(DIMENSION) / np.linalg.norm(x, axis=1, keepdims=True)


def one(activation: str, n: int, out: Path) -> None:
    """Time one case with the packages that Python finds; write kernels and seconds."""
    phi = Activation(activation)
    infinite_width_kernels(phi, 1, np.ones((1, 1)))
    start = time.process_time()
    nngp, ntk = infinite_width_kernels(phi, DEPTH, points(n))
    np.savez(out, nngp=nngp, ntk=ntk, seconds=time.process_time() - start)


def timed(sources: Path, activation: str, n: int) -> dict[str, np.ndarray]:
    """Return what `one` writes with the packages of a folder."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "kernels.npz")
        environment = os.environ | {"PYTHONPATH": str(sources.resolve()), "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, __file__, "--one", activation, str(n), str(out)], env=environment, check=True)
        with np.load(out) as written:
            return dict(written)


def compared(before: Path, activation: str, n: int) -> dict:
    """Return one row of the results."""
    old, new = (timed(sources, activation, n) for sources in (before, Path(__file__).parents[1]))
    difference = max(np.max(np.abs(new[k] - old[k])) / np.max(np.abs(old[k])) for k in ("nngp", "ntk"))
    return {
        "activation": activation, "n": n, "depth": DEPTH, "before_s": round(float(old["seconds"]), 2),
        "after_s": round(float(new["seconds"]), 2), "times_faster": float(f"{old['seconds'] / new['seconds']:.2g}"),
        "difference": float(f"{difference:.1e}"),
    }  # fmt: skip


def main() -> None:
    """Print and write one object per case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="sources of the other revision")
    parser.add_argument("--one", nargs=3, metavar=("ACTIVATION", "N", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], int(options.one[1]), Path(options.one[2]))
        return
    if options.before is None:
        parser.error("--before is needed")
    rows = []
    for activation, n in CASES.items():
        rows.append(compared(options.before, activation, n))
        print(json.dumps(rows[-1]), flush=True)
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
