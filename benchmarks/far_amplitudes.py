"""Far below the windows of the laws: do exponents and corrections stay what theory says down to A = 1e-9?

    python -m benchmarks.far_amplitudes [--stores DIR] [--out benchmarks/results/far_amplitudes.json]

Four networks of width 64 at each half-decade of A, on 40 digits; five minutes on one core. For each case geometric
means over seeds: the kernel change, the rms output F at the stop, ||w - w_0|| of every matrix, t_half; and d ln/d ln A
of each in the lowest two decades and in the reports' window, 1e-4 to 1e-2. `docs/limits.md` quotes them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from simulate import Campaign, run

#: activation, depth, exponent of ten of the lowest A
CASES = (
    ("leaky_relu(z, 0.2)", 4, -9),
    ("leaky_relu(z, 0.2)", 1, -9),
    ("relu", 4, -9),
    ("z/(1 + abs(z))", 1, -6),
    ("z/(1 + abs(z))", 4, -6),
    ("tanh", 1, -4),
)
WINDOW = (1e-4, 1e-2)


def trained(activation: str, depth: int, lowest: int, folder: Path) -> xr.Dataset:
    """The case's networks, (amplitude, seed)."""
    amplitudes = [10 ** (i / 2) for i in range(2 * lowest, 1)]
    fields = {"name": "far", "dataset": "digits", "n_train": 40, "n_test": 60, "depth": depth, "widths": [64],
              "activation": activation, "root_h_alpha": amplitudes, "seeds": 4, "tolerance": 1e-2,
              "max_steps": 2000}  # fmt: skip
    store = folder / f"{''.join(c for c in activation if c.isalnum())}-L{depth}.zarr"
    outcome = run(Campaign.from_dict({"name": "far", "experiment": [fields]}), store, workers=1)
    return outcome.store.tree()["far"].to_dataset().load().isel(width=0)


def as_row(data: xr.Dataset) -> dict:
    """Means over seeds at every amplitude, and powers of A at the low end and in the window."""
    columns = {
        "kernel_change": data["kernel_change"],
        "F": np.sqrt((data["test_output"].astype(float) ** 2).mean("test_point")),
        "time_half": data["time_half"],
        **{f"weight_change_{i}": data["weight_change"].isel(layer=i) for i in range(data.sizes["layer"])},
    }
    log_a = np.log(data["root_h_alpha"].values)
    low = log_a <= log_a[0] + np.log(100) * (1 + 1e-9)
    inside = (log_a >= np.log(WINDOW[0]) - 1e-9) & (log_a <= np.log(WINDOW[1]) + 1e-9)
    rows = {}
    for name, values in columns.items():
        logs = np.log(values.where(data["status"] == 1)).mean("seed").values
        rows[name] = {
            "values": [float(f"{v:.4g}") for v in np.exp(logs)],
            "power_lowest_two_decades": round(float(np.polyfit(log_a[low], logs[low], 1)[0]), 3),
            "power_1e-4_to_1e-2": round(float(np.polyfit(log_a[inside], logs[inside], 1)[0]), 3),
        }
    logs = {name: np.log(np.array(rows[name]["values"])) for name in ("kernel_change", "F")}
    for label, part in (("power_lowest_two_decades", low), ("power_1e-4_to_1e-2", inside)):
        slope = np.polyfit(log_a[part] - logs["F"][part], logs["kernel_change"][part], 1)[0]
        rows["kernel_change"][label.replace("power", "power_of_A_over_F")] = round(float(slope), 3)
    return rows


def main() -> None:
    """Print and write one object per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=Path, help="folder for the stores, to go on with later")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for activation, depth, lowest in CASES:
            data = trained(activation, depth, lowest, options.stores or Path(temporary))
            rows.append(
                {
                    "activation": activation,
                    "depth": depth,
                    "root_h_alpha": [float(f"{a:.4g}") for a in data["root_h_alpha"].values],
                    "converged": int((data["status"] == 1).sum()),
                    "networks": int(data["status"].size),
                    **as_row(data),
                }
            )
            print(json.dumps({k: v for k, v in rows[-1].items() if k != "root_h_alpha"}), flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
