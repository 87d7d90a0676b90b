"""The three terms of the lazy kernel change, measured: what the windows of `kernel_change_lazy` rest on.

    python -m benchmarks.lazy_terms [--out FILE.json]

rms² = c1²/(h A²) + s/(h A) + c2²/A⁴ over 16 networks of two widths on 40 digits, A from 30 to 3,000, fitted without
negative terms. A row has c1, c2, s, the strength of the activation's kinks as theory has it, and c1²·strength/s, which
`theory.laws.kernel_change_lazy.FLIP_RATIO` spans. Half an hour on an idle core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from simulate import Campaign, run
from theory import Activation

ACTIVATIONS = (
    "relu",
    "abs(z)",
    "leaky_relu(z, 0.5)",
    "leaky_relu(z, 0.9)",
    "hardswish",
    "hardtanh",
    "softplus",
    "gelu",
)
DEPTHS = (1, 3)
WIDTHS = (64, 256)
AMPLITUDES = tuple(10 ** (i / 2) for i in range(3, 8))


def measured(activation: str, depth: int, folder: Path) -> dict[str, float | str | None]:
    """Train the networks of one activation and depth, and fit the terms."""
    fields = {"name": "lazy", "dataset": "digits", "n_train": 40, "n_test": 60, "depth": depth, "widths": list(WIDTHS),
              "activation": activation, "root_h_alpha": list(AMPLITUDES), "seeds": 16, "tolerance": 1e-2,
              "max_steps": 1500}  # fmt: skip
    outcome = run(Campaign.from_dict({"name": "lazy", "experiment": [fields]}), folder / "store.zarr", workers=1)
    data = outcome.store.tree()["lazy"].to_dataset().load()
    squares = (data["kernel_change"].where(data["status"] == 1) ** 2).mean("seed").values
    h, a = np.array(WIDTHS)[:, None], np.array(AMPLITUDES)
    terms = np.stack([np.broadcast_to(t, squares.shape).ravel() for t in (1 / (h * a**2), 1 / (h * a), 1 / a**4)], 1)
    first, flips, second = nnls(terms / squares.ravel()[:, None], np.ones(squares.size))[0]
    strength = Activation(activation).kink_strength
    return {
        "activation": activation,
        "depth": depth,
        "c1": round(float(np.sqrt(first)), 2),
        "c2": round(float(np.sqrt(second)), 2),
        "s": round(float(flips), 4),
        "strength": strength,
        "flip_ratio": round(float(first * strength / flips), 2) if flips > 0 and strength > 0 else None,
    }


def main() -> None:
    """Print and write one row per activation and depth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    for depth in DEPTHS:
        for activation in ACTIVATIONS:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measured(activation, depth, Path(folder)))
            print(json.dumps(rows[-1]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
