"""The reference reports: laptop presets run, kept as small netCDF files, and reported on.

    python -m benchmarks.reference [--preset NAME ...] [--data-root DIR] [--workers N]
    python -m benchmarks.reference --again [--preset NAME ...]

Without --preset, all laptop presets: half an hour on two cores. Into reports/reference/<preset>/ go one netCDF file an
experiment (single precision, with as many held-out outputs as fit into a megabyte), and the report made from these
files alone. The run's own store stays beside them, outside version control: run again, the command goes on where it
stopped, and makes files and report anew. --again makes the reports anew from the files that are kept, and runs nothing.
Either way the table of reports/reference/README.md is written from the verdicts afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from benchmarks.reference_table import write_table
from fit.judge.verdict import Verdict
from fit.report.command import report_on
from simulate import Campaign, list_presets, run

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "reports" / "reference"
LIMIT = 1_000_000  # bytes of held-out outputs that a file may hold


def small(data: xr.Dataset) -> xr.Dataset:
    """Return an experiment in single precision, with as many held-out points as fit, the first ones.

    Coordinates keep their precision: amplitudes are compared with the predictions' windows.
    """
    networks = math.prod(data.sizes[d] for d in ("width", data["status"].dims[1], "seed"))
    kept = max(1, min(data.sizes["test_point"], LIMIT // (4 * networks)))
    data = data.isel(test_point=slice(kept)).load()
    for name, variable in data.data_vars.items():
        if variable.dtype == np.float64:
            data[name] = variable.astype(np.float32, keep_attrs=True)
    # netCDF 3 has neither nested attributes nor 64-bit integers
    data.attrs = {k: v if isinstance(v, str) else json.dumps(v) for k, v in data.attrs.items()}
    data.attrs["held_out_outputs"] = f"of the first {kept} of the test points; float64 variables as float32"
    for one in data.variables.values():
        one.encoding.clear()
    return data


def make(preset: str, folder: Path, data_root: str | None, workers: int | None) -> list[Path]:
    """Run a preset, write its small files, report on them; return what belongs under version control."""
    folder.mkdir(parents=True, exist_ok=True)
    outcome = run(Campaign.from_preset(preset), folder / "store.zarr", data_root=data_root, workers=workers)
    tree = outcome.store.tree()
    for old in folder.glob("*.nc"):
        old.unlink()
    for experiment in outcome.store.campaign.experiment:
        small(tree[experiment.name].to_dataset()).to_netcdf(folder / f"{experiment.name}.nc", engine="scipy")
    report(preset, folder, data_root)
    return [path for path in folder.rglob("*") if path.is_file() and "store.zarr" not in path.parts]


def report(preset: str, folder: Path, data_root: str | None = None) -> list[Verdict]:
    """Report on the netCDF files of a folder, in the order of the preset's experiments; return the verdicts."""
    for old in folder.glob("figures/*"):
        old.unlink()
    # paths in verdicts.json are relative: it is the same on every machine
    with contextlib.chdir(ROOT):
        return report_on(kept(preset, folder), preset, folder, data_root=data_root)


def kept(preset: str, folder: Path) -> Sequence[str]:
    """Return the files that are kept of a preset's experiments, relative to the repository where they lie in it."""
    names = [folder.resolve() / f"{experiment.name}.nc" for experiment in Campaign.from_preset(preset).experiment]
    names = [path for path in names if path.exists()]
    return [str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path) for path in names]


def main() -> None:
    """Make the reports that are asked for."""
    laptop = [name for name in list_presets() if name.endswith("-laptop")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", nargs="+", choices=list_presets(), default=laptop, metavar="NAME")
    parser.add_argument("--data-root", help="folder with image data (default: LAZYRICH_DATA)")
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--again", action="store_true", help="run nothing: report on the files that are kept")
    options = parser.parse_args()
    for preset in options.preset:
        folder = options.out / preset
        if options.again:
            if any(folder.glob("*.nc")):
                report(preset, folder, options.data_root)
                print(f"{preset}: {folder / 'report.md'}", flush=True)
            continue
        made = make(preset, folder, options.data_root, options.workers)
        size = sum(path.stat().st_size for path in made)
        print(f"{preset}: {len(made)} files, {size / 1e6:.1f} MB in {folder}", flush=True)
    write_table(options.out)


if __name__ == "__main__":
    main()
