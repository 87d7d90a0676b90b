"""Where float32 is enough: the same networks in float32 and float64, over the amplitudes.

    python -m benchmarks.precision [--device cpu|cuda] [--out benchmarks/results/precision-cpu.json]

Reported is the largest relative difference over seeds of what a network is measured by, beside alpha, which multiplies
the rounding of f - f_0; and the same difference between two float64 runs, one of them with half the tolerance: the
integration error that float32 has to stay below.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from simulate import Campaign, load_data, run_task
from simulate.planning.tasks import campaign_tasks

AMPLITUDES = [10.0**i for i in range(-4, 6)]
CASES = [(name, depth) for name in ("softplus", "relu", "tanh") for depth in (1, 3)]
MEASURED = ("kernel_change", "time_half", "time_end", "time_linear", "weight_change")


def trained(activation: str, depth: int, device: str, **changes) -> xr.Dataset:
    """The case's networks, (amplitude, seed)."""
    fields = {"name": "precision", "dataset": "digits", "n_train": 60, "n_test": 60, "depth": depth, "widths": [64],
              "activation": activation, "root_h_alpha": AMPLITUDES, "seeds": 3, "tolerance": 5e-3}  # fmt: skip
    campaign = Campaign.from_dict({"name": "precision", "experiment": [{**fields, **changes}]})
    (experiment,), (task,) = campaign.experiment, campaign_tasks(campaign)
    return run_task(experiment, task, load_data(experiment), device=device).isel(width=0)


def difference(a: xr.Dataset, b: xr.Dataset) -> dict[str, list[float | None]]:
    """Largest relative difference over seeds (and layers) at every amplitude; None where nothing was measured."""
    differences = {name: np.abs(a[name] / b[name] - 1.0) for name in MEASURED}
    square = ((a["test_output"] - b["test_output"]) ** 2).sum("test_point") / (b["test_output"] ** 2).sum("test_point")
    differences["F"] = np.sqrt(square)
    return {
        name: [float(f"{v:.1e}") if np.isfinite(v) else None for v in d.max([x for x in d.dims if x != "root_h_alpha"])]
        for name, d in differences.items()
    }


def main() -> None:
    """Print and write one object per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for activation, depth in CASES:
        double = trained(activation, depth, options.device)
        single = trained(activation, depth, options.device, dtype="float32")
        finer = trained(activation, depth, options.device, tolerance=2.5e-3)
        rows.append(
            {
                "activation": activation,
                "depth": depth,
                "same_status": bool((double["status"] == single["status"]).all()),
                "float32": difference(single, double),
                "half_tolerance": difference(finer, double),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    result = {
        "A": AMPLITUDES,
        "alpha": [a / 8.0 for a in AMPLITUDES],
        "width": 64,
        "device": options.device,
        "rows": rows,
    }
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
