"""Measurements from tables: one row a network."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from fit.measurements.dialects import read_text_table, with_plain_names
from fit.measurements.measurements import AXES, SAME_AMPLITUDE, Measurements
from lazyrich.errors import InputError
from simulate.measure.schema import VARIABLES
from simulate.training.status import Status

#: columns or attributes in which a table or a file describes its networks
LABELS = (
    "activation", "depth", "normalise", "architecture", "dataset", "pca", "bias", "subtract_initial", "dynamics",
)  # fmt: skip
#: of the grid that a table is put on: it may have holes, but not be all holes
MOST_CELLS_A_ROW, MOST_CELLS = 100, 10**6
MOST_VALUES = 2**30  #: of all columns on that grid: 8 GiB


def stem(path: Path) -> str:
    """Return a file's name without what says its format: ``run`` of ``run.nc.gz``."""
    return Path(path.name.removesuffix(".gz")).stem


def read_table(path: Path) -> list[Measurements]:
    """Read a table of text, one row a network."""
    table, guesses = read_text_table(path)
    return _measurements(table, path, str(path), guesses)


def from_dataframe(frame: pd.DataFrame) -> list[Measurements]:
    """Return the experiments of a table in memory, one row a network, as of the same table in a file.

    An index with names counts as columns. Messages call the table ``DataFrame``; so is its experiment called where no
    column names one.
    """
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    path = Path("DataFrame")
    table, guesses = with_plain_names(frame.reset_index(drop=True), path)
    # columns of pandas's extension types (nullable numbers, categories) become NumPy's, as if read from a file
    extension_columns = [name for name in table if pd.api.types.is_extension_array_dtype(table[name].dtype)]
    numbers = {name: pd.api.types.is_numeric_dtype(table[name].dtype) for name in extension_columns}
    table = table.assign(**{
        str(name): table[name].to_numpy(float, na_value=np.nan) if numbers[name] else table[name].astype(object)
        for name in extension_columns
    })  # fmt: skip
    return _measurements(table, path, None, guesses)


def _measurements(table: pd.DataFrame, path: Path, store: str | None, guesses: tuple[str, ...]) -> list[Measurements]:
    return [
        Measurements(grid, name, store, {k: grid.attrs[k] for k in LABELS if k in grid.attrs}, guesses)
        for name, grid in from_table(table, path)
    ]


def from_table(table: pd.DataFrame, path: Path) -> list[tuple[str, xr.Dataset]]:
    """Return the experiments of a table, each by name as a dataset on the grid (width, amplitude, seed).

    Rows of several activations or depths are experiments of their own where no column names experiments.

    Raises
    ------
    InputError
        If a column that is needed is missing, text stands where a number is read, a network is there twice, a row names
        no experiment, or rows of one experiment have several activations or depths.
    """
    amplitude = next((axis for axis in AXES if axis in table), None)
    index = [column for column in ("width", amplitude, "seed") if column is not None and column in table]
    if len(index) < 3:
        raise InputError(
            "store", str(path), f"its columns are {', '.join(map(str, table.columns[:12]))}",
            "Give at least the columns width, root_h_alpha (or alpha) and seed, or h, A and seed",
        )  # fmt: skip
    experiments = []
    for name, rows in _by_experiment(table, path):
        repeated = rows[index][rows[index].duplicated()]
        if len(repeated):
            raise InputError(
                "store", str(path), f"experiment {name!r} has the network {repeated.iloc[0].to_dict()} twice",
                "Give one row per width, amplitude and seed",
            )  # fmt: skip
        labels = {key: rows[key].iloc[0] for key in LABELS if key in rows and rows[key].notna().any()}
        numbers = rows.drop(columns=["experiment", *LABELS], errors="ignore")
        if amplitude == "root_h_alpha":
            numbers = numbers.drop(columns="alpha", errors="ignore")
        if "status" in numbers:
            numbers = numbers.assign(status=numbers["status"].map(_status_code))
        numbers = _only_numbers(numbers, index, path)
        if amplitude == "alpha":
            numbers = _on_common_amplitudes(numbers)
        axes = ["width", next(axis for axis in AXES if axis in numbers), "seed"]
        experiments.append((str(name), _on_grid(numbers, axes, path).assign_attrs(labels)))
    return experiments


def _on_grid(numbers: pd.DataFrame, axes: list[str], path: Path) -> xr.Dataset:
    """Return the columns on the grid of all values of the axes, NaN where no row is.

    Raises
    ------
    InputError
        If the grid is far larger than the table, or too large for memory.
    """
    labels, positions = {}, []
    for axis in axes:
        position, labels[axis] = pd.factorize(numbers[axis].to_numpy(), sort=True)
        positions.append(position)
    shape = tuple(len(values) for values in labels.values())
    cells, columns = math.prod(shape), [column for column in numbers if column not in axes]
    if cells > MOST_CELLS_A_ROW * len(numbers) + MOST_CELLS or cells * len(columns) > MOST_VALUES:
        counts = ", ".join(f"{len(values):,} of {axis}" for axis, values in labels.items())
        raise InputError(
            "store", str(path), f"{len(numbers):,} rows have {counts}, a grid of {cells:,} networks",
            "Number the seeds of each width and amplitude 0, 1, ..., and leave out columns that are not needed",
        )  # fmt: skip
    # all columns at once: one after the other, ten thousand take minutes
    values = np.full((len(columns), cells), np.nan)
    values[:, np.ravel_multi_index(positions, shape)] = numbers[columns].to_numpy(float).T
    return xr.Dataset({column: (axes, row.reshape(shape)) for column, row in zip(columns, values, strict=True)}, labels)


def _by_experiment(table: pd.DataFrame, path: Path) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each experiment by name."""
    labels = [key for key in LABELS if key in table and table[key].nunique(dropna=False) > 1]
    if "experiment" not in table:
        if not labels:
            return [(stem(path), table)]
        groups = table.groupby(labels, sort=False, dropna=False)
        return [
            ("-".join([stem(path), *(f"{key}_{value}" for key, value in zip(labels, values, strict=True))]), rows)
            for values, rows in groups
        ]
    unnamed = table["experiment"].isna() | (table["experiment"].astype(str).str.strip() == "")
    if unnamed.any():
        row = int(unnamed.to_numpy().argmax()) + 1
        raise InputError(
            f"{path}: experiment, row {row}", "", "the row names no experiment", "Name one, or drop the row"
        )
    groups = list(table.groupby("experiment", sort=False))
    for name, rows in groups:
        for key in labels:
            values = rows[key].unique().tolist()
            if len(values) > 1:
                raise InputError(
                    f"{path}: {key}", values, f"experiment {name!r} has rows of several",
                    "Give each its own name in the column experiment",
                )  # fmt: skip
    return [(str(name), rows) for name, rows in groups]


def _status_code(value: object) -> object:
    """Return the number of a status that is written as a word; numbers, and what is neither, as they are."""
    word = str(value).strip().upper()
    return int(Status[word]) if word in Status.__members__ else value


def _on_common_amplitudes(table: pd.DataFrame) -> pd.DataFrame:
    """Index by A = sqrt(h)·alpha a table of alpha whose widths share fewer values of A than of alpha."""
    if not (table["width"] > 0).all() or not (table["alpha"] > 0).all():
        return table  # refused later, with the others
    log = np.log(table["alpha"]) + 0.5 * np.log(table["width"])
    levels = np.sort(log.unique())
    group = np.concatenate([[0], np.cumsum(np.diff(levels) > SAME_AMPLITUDE)])
    if group[-1] + 1 >= table["alpha"].nunique():
        return table
    amplitude = np.exp(np.bincount(group, levels) / np.bincount(group))
    common = amplitude[group[np.searchsorted(levels, log)]]
    return table.assign(alpha=common).rename(columns={"alpha": "root_h_alpha"})


def _only_numbers(table: pd.DataFrame, index: list[str], path: Path) -> pd.DataFrame:
    """Leave out columns of text that no variable is named by; refuse text in columns that are read as numbers."""
    numbers = table.apply(pd.to_numeric, errors="coerce")
    for column in table:
        unread = numbers[column].isna() & (table[column].notna() | (column in index))
        if not unread.any():
            continue
        if column not in index and column not in VARIABLES:
            numbers = numbers.drop(columns=column)
            continue
        row = unread.idxmax()
        raise InputError(
            f"{path}: {column}, row {row + 1}", str(table.loc[row, column]), "is not a number",
            "Write one" if column in index else "Write one, or leave it empty",
        )  # fmt: skip
    return numbers
