"""The reference runs: laptop presets, kept as small netCDF files and a table of verdicts, and reported on.

    python -m benchmarks.reference [--preset NAME ...] [--data-root DIR] [--workers N]
    python -m benchmarks.reference --again [--preset NAME ...]

Without --preset, all laptop presets: half an hour on two cores. Into reports/reference/<preset>/ go one compressed
netCDF file an experiment (`small` says what is kept), the table of verdicts that follow from these files alone, and
the report made from them. Only files and table are under version control, since the report can be made again: --again
makes table and report from the files that are kept, and runs nothing. The run's own store stays beside them, outside
version control: run again, the command goes on where it stopped. Either way the table of reports/reference/README.md
is written from the verdicts afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from benchmarks.reference_table import VERDICTS, write_table
from fit import assess
from fit.judge.measuring import all_measures
from fit.judge.verdict import Verdict
from fit.report.from_sources import report_on
from simulate import Campaign, list_presets, run

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "reports" / "reference"
SUFFIX = ".nc.gz"
LIMIT = 1_000_000  # bytes that the held-out outputs of a file would take in single precision
DIGITS = 12  # binary digits that are kept of a measured number: 1e-4 of it
STEP = 2.0**-9  # of the outputs that are kept: F is of order one, and differs by 0.03 and more from seed to seed
#: what the table of verdicts tells
COLUMNS = (
    "experiment", "claim", "quantity", "regime", "variable", "predicted", "estimate", "ci_low", "ci_high", "margin",
    "verdict", "n_points", "n_seeds", "n_widths",
)  # fmt: skip


def small(data: xr.Dataset, *, outputs: bool = True) -> xr.Dataset:
    """Return an experiment with the digits that its laws need, and as many held-out points as fit, the first ones.

    Without `outputs`, none of what lies on held-out points is kept.

    Measured numbers keep `DIGITS` binary digits in single precision, outputs are rounded to `STEP` (packed as 16-bit
    integers, which xarray unpacks). Coordinates keep their precision: amplitudes are compared with the predictions'
    windows.
    """
    networks = math.prod(data.sizes[d] for d in ("width", data["status"].dims[1], "seed"))
    count = max(1, min(data.sizes["test_point"], LIMIT // (4 * networks)))
    data = data.isel(test_point=slice(count)).load() if outputs else data.drop_dims("test_point").load()
    for name, variable in data.data_vars.items():
        if name != "test_output" and variable.dtype.kind == "f":
            data[name] = variable.copy(data=rounded(variable.values))
    # netCDF 3 has neither nested attributes nor 64-bit integers
    data.attrs = {k: v if isinstance(v, str) else json.dumps(v) for k, v in data.attrs.items()}
    held_out = f"of the first {count} of the test points, to {STEP:.1e}" if outputs else "left out: no law needs them"
    data.attrs["held_out_outputs"] = f"{held_out}; other numbers to {DIGITS} binary digits"
    for variable in data.variables.values():
        variable.encoding.clear()
    if "test_output" in data:
        largest = float(np.nanmax(np.abs(data["test_output"].values), initial=0.0))
        step = STEP * 2.0 ** max(0, math.ceil(math.log2(max(largest, 1.0) / (2**15 - 2) / STEP)))
        data["test_output"].encoding = {"dtype": "int16", "scale_factor": step, "_FillValue": np.int16(-(2**15))}
    return data


def rounded(values: NDArray) -> NDArray:
    """Round to `DIGITS` binary digits, in float32; what is not finite stays."""
    with np.errstate(invalid="ignore"):
        mantissa, exponent = np.frexp(values.astype(np.float64))
        short = np.ldexp(np.round(mantissa * 2.0**DIGITS) / 2.0**DIGITS, exponent)
    return np.where(np.isfinite(values), short, values).astype(np.float32)


def write(data: xr.Dataset, path: Path) -> None:
    """Write a dataset to a gzipped netCDF file: the same bytes for the same data."""
    path.write_bytes(gzip.compress(bytes(data.to_netcdf(engine="scipy")), mtime=0))


def make(preset: str, folder: Path, data_root: str | None, workers: int | None) -> list[Path]:
    """Run a preset, write its small files, report on them; return what belongs under version control."""
    folder.mkdir(parents=True, exist_ok=True)
    outcome = run(Campaign.from_preset(preset), folder / "store.zarr", data_root=data_root, workers=workers)
    tree = outcome.store.tree()
    for old in folder.glob(f"*{SUFFIX}"):
        old.unlink()
    outputs = need_outputs(assess(outcome.store))
    for experiment in outcome.store.campaign.experiment:
        write(small(tree[experiment.name].to_dataset(), outputs=outputs), folder / f"{experiment.name}{SUFFIX}")
    report(preset, folder, data_root)
    return [*folder.glob(f"*{SUFFIX}"), folder / VERDICTS]


def need_outputs(verdicts: Iterable[Verdict]) -> bool:
    """Return whether a claim was measured that needs the outputs on held-out points, most of a store's bytes."""
    measures = all_measures()
    measured = {verdict.claim for verdict in verdicts if verdict.estimate is not None}
    return any("test_output" in measures[claim].needs for claim in measured & measures.keys())


def report(preset: str, folder: Path, data_root: str | None = None) -> list[Verdict]:
    """Report on the files of a folder, in the order of the preset's experiments, and write the table of verdicts."""
    for old in folder.glob("figures/*"):
        old.unlink()
    # paths in verdicts.json are relative: it is the same on every machine
    with contextlib.chdir(ROOT):
        verdicts = report_on(kept_files(preset, folder), preset, folder, data_root=data_root)
    verdict_table(verdicts).to_csv(folder / VERDICTS, index=False, lineterminator="\n")
    return verdicts


def verdict_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return the columns `COLUMNS` of verdicts, numbers to six digits; what was not measured is left out."""
    rows = [verdict.to_json() for verdict in verdicts if verdict.estimate is not None]
    table = pd.DataFrame([{name: row[name] for name in COLUMNS} for row in rows], columns=list(COLUMNS))
    for name in ("estimate", "ci_low", "ci_high"):
        table[name] = [None if value is None else f"{value:.6g}" for value in table[name]]
    return table


def kept_files(run_name: str, folder: Path) -> Sequence[str]:
    """Return the files of a folder, relative to the repository where they lie in it.

    They come in the order of the preset's experiments, or by name where the run is of no preset.
    """
    stems = (
        [experiment.name for experiment in Campaign.from_preset(run_name).experiment]
        if run_name in list_presets()
        else sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    )
    paths = [path for stem in stems if (path := folder.resolve() / f"{stem}{SUFFIX}").exists()]
    return [str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path) for path in paths]


def main() -> None:
    """Make the reports that are asked for."""
    laptop = [name for name in list_presets() if name.endswith("-laptop")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", nargs="+", metavar="NAME", help="presets, or with --again any kept runs")
    parser.add_argument("--data-root", help="folder with image data (default: LAZYRICH_DATA)")
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--again", action="store_true", help="run nothing: report on the files that are kept")
    options = parser.parse_args()
    if options.again:
        runs = options.preset or sorted(path.name for path in options.out.iterdir() if any(path.glob(f"*{SUFFIX}")))
        for name in runs:
            report(name, options.out / name, options.data_root)
            print(f"{name}: {options.out / name / 'report.md'}", flush=True)
        write_table(options.out)
        return
    for preset in options.preset or laptop:
        folder = options.out / preset
        files = make(preset, folder, options.data_root, options.workers)
        size = sum(path.stat().st_size for path in files)
        print(f"{preset}: {len(files)} files, {size / 1e6:.1f} MB in {folder}", flush=True)
    write_table(options.out)


if __name__ == "__main__":
    main()
