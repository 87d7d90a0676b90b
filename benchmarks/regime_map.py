"""Which regime generalises better, over numbers of points, widths and depths.

    python -m benchmarks.regime_map [STORE.zarr]

prints the tables of docs/findings.md from benchmarks/results/regime_map.csv; given a store of the preset
`regime-map-hour`, it writes that file first. An experiment's name says architecture, depth, number of points and
draw of the points. In each cell (architecture, depth, n, h) the test error at the smallest A less that at the largest,
of equal initial weights, is averaged over initial weights, and the interval (Student's) is over draws. Slopes are
fitted to all cells of an architecture and a depth, draw by draw, and averaged in the same way.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from simulate import Status

KEPT = Path(__file__).parent / "results" / "regime_map.csv"
CELL = ["architecture", "depth", "n"]
_NAME = re.compile(r"(?P<architecture>fc|cnn)-L(?P<depth>\d+)-n(?P<n>\d+)-draw(?P<draw>\d+)")
_NAMES = {"fc": "fully connected", "cnn": "convolutional"}


def error_differences(experiments: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return a row for each draw and cell: ``difference`` in per cent, NaN where no pair of networks fits."""
    rows = []
    for name, data in experiments.items():
        match = _NAME.fullmatch(name)
        assert match is not None, name
        error = 100.0 * data["test_error"].where(data["status"] == Status.CONVERGED)
        difference = (error.isel(root_h_alpha=0) - error.isel(root_h_alpha=-1)).mean("seed").load()
        named = {key: int(value) if value.isdigit() else value for key, value in match.groupdict().items()}
        rows += [{**named, "width": int(d["width"]), "difference": float(d)} for d in difference]
    return pd.DataFrame(rows)


def cell_means(differences: pd.DataFrame) -> pd.Series:
    """Return the mean over draws of each cell, an `Estimate`; None where fewer than two draws have one."""
    return differences.groupby([*CELL, "width"])["difference"].agg(lambda values: mean_over(values.to_numpy()))


def slopes(differences: pd.DataFrame) -> pd.DataFrame:
    """Return how the difference changes where h, n doubles: an `Estimate` each, by architecture and depth."""
    by_draw = differences.dropna().groupby([*CELL[:2], "draw"])[["width", "n", "difference"]].apply(_slopes_of_a_draw)
    return by_draw.groupby(level=CELL[:2]).agg(lambda values: mean_over(values.to_numpy()))


def _slopes_of_a_draw(cells: pd.DataFrame) -> pd.Series:
    """Fit the differences of one draw by a plane in log2 h and log2 n."""
    design = np.column_stack([np.log2(cells["width"]), np.log2(cells["n"]), np.ones(len(cells))])
    solution, *_ = np.linalg.lstsq(design, cells["difference"].to_numpy(), rcond=None)
    return pd.Series({"h": solution[0], "n": solution[1]})


def tables(differences: pd.DataFrame) -> list[str]:
    """Return the map and its slopes as lines of Markdown: **bold** where an interval excludes zero."""
    means, changes = cell_means(differences), slopes(differences)
    lines = []
    for (architecture, depth), of_depth in means.groupby(level=CELL[:2]):
        grid = of_depth.droplevel(CELL[:2]).unstack("width")
        lines += [
            f"{_NAMES[architecture].capitalize()}, L = {depth}:",
            "",
            "| n | " + " | ".join(f"h = {h}" for h in grid.columns) + " |",
            "|" + "---|" * (len(grid.columns) + 1),
            *(f"| {n} | " + " | ".join(_cell(estimate) for estimate in row) + " |" for n, row in grid.iterrows()),
            "",
        ]
    lines += ["| networks | its change where h doubles | where n doubles |", "|---|---|---|"]
    for (architecture, depth), row in changes.iterrows():
        lines.append(f"| {_NAMES[architecture]}, L = {depth} | {_cell(row['h'])} | {_cell(row['n'])} |")
    return [*lines, ""]


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    low, high = estimate.interval()
    shown = f"{estimate.value:z.1f} [{low:z.1f}, {high:z.1f}]".replace("-", "−")
    return f"**{shown}**" if low > 0.0 or high < 0.0 else shown


def main() -> None:
    """Print the tables, from a store if one is given."""
    for store in sys.argv[1:2]:
        with xr.open_datatree(store, engine="zarr") as tree:
            error_differences({name: node.to_dataset() for name, node in tree.children.items()}).to_csv(
                KEPT, index=False, float_format="%.6g"
            )
    print("\n".join(tables(pd.read_csv(KEPT))))


if __name__ == "__main__":
    main()
