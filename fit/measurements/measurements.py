"""The one door through which measurements enter: stores, trees, netCDF and CSV files, all as labelled arrays.

Whatever the source, an experiment's networks are indexed by (width, amplitude, seed), and ``root_h_alpha`` is known for
every (width, amplitude), whether the campaign was laid out in A = sqrt(h)·alpha or in alpha.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr
from numpy.typing import NDArray

from lazyrich.errors import InputError
from simulate.measure.schema import VARIABLES
from simulate.training.status import Status

Source = "str | Path | xr.DataTree | xr.Dataset | Measurements"
NETWORK = ("width", "amplitude", "seed")
_AXES = ("root_h_alpha", "alpha")
#: Amplitudes of a table of others are the same if their logarithms are as close as this.
CLOSE = 1e-3
#: what a table or a file of others says of its networks: columns or attributes
_LABELS = ("activation", "depth", "normalise")


@dataclass(frozen=True, eq=False)
class Measurements:
    """One experiment's measurements, read when asked for.

    Parameters
    ----------
    data : xarray.Dataset
        Dimensions width, root_h_alpha or alpha, seed, and what `simulate.measure.schema.VARIABLES` adds. Dimensionless,
        times in the article convention.
    name : str
    store : str, optional
        Where it came from.

    Raises
    ------
    InputError
        If a dimension is missing or unlabelled.
    """

    data: xr.Dataset
    name: str
    store: str | None = None
    description: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for axis in ("width", "seed"):
            if axis not in self.data.dims:
                raise InputError(
                    "store", self.store or self.name, f"experiment {self.name!r} has no dimension {axis!r}",
                    "Give a store written by simulate, or a table with the columns width, root_h_alpha and seed",
                )  # fmt: skip
        if not any(axis in self.data.dims for axis in _AXES):
            raise InputError(
                "store", self.store or self.name, f"experiment {self.name!r} has neither root_h_alpha nor alpha",
                "Give a store written by simulate, or a table with the columns width, root_h_alpha and seed",
            )  # fmt: skip
        for axis in ("width", self._axis):
            labels = self.data[axis].values
            if axis not in self.data.coords or not np.all(np.isfinite(labels) & (labels > 0)):
                raise InputError(axis, self.name, "its values are not all positive numbers", f"Label every {axis}")

    @property
    def _axis(self) -> str:
        return next(axis for axis in _AXES if axis in self.data.dims)

    @property
    def on_common_amplitudes(self) -> bool:
        """Whether all widths were measured at the same values of A."""
        return self._axis == "root_h_alpha"

    @property
    def activation(self) -> str | None:
        """The activation's name or expression."""
        return self.description.get("activation")

    @property
    def depth(self) -> int | None:
        """The number of hidden layers."""
        depth = self.description.get("depth")
        return None if depth is None else int(depth)

    @property
    def widths(self) -> NDArray:
        """Widths in ascending order, shape (width,)."""
        return self._sorted["width"].values.astype(float)

    @property
    def n_seeds(self) -> int:
        """How many seeds there are at each width and amplitude."""
        return self.data.sizes["seed"]

    @property
    def size(self) -> int:
        """How many networks the grid has."""
        return math.prod(self.data.sizes[axis] for axis in ("width", self._axis, "seed"))

    @cached_property
    def _read(self) -> dict[tuple[str, str], NDArray]:
        """What `network` has read: a store of 100,000 networks is read once."""
        return {}

    @cached_property
    def _sorted(self) -> xr.Dataset:
        axes = ["width", self._axis]
        # a store's order is ascending: chunks are then read whole, not point by point
        ascending = all(self.data.indexes[axis].is_monotonic_increasing for axis in axes)
        return (self.data if ascending else self.data.sortby(axes)).rename({self._axis: "amplitude"})

    @cached_property
    def root_h_alpha(self) -> NDArray:
        """A of every cell, shape (width, amplitude), increasing along the second axis."""
        amplitude = self._sorted["amplitude"].values.astype(float)
        if self.on_common_amplitudes:
            return np.broadcast_to(amplitude, (len(self.widths), len(amplitude)))
        return np.sqrt(self.widths)[:, None] * amplitude

    @cached_property
    def status(self) -> NDArray:
        """`simulate.Status` of every network, shape (width, amplitude, seed); all converged if not recorded."""
        if "status" not in self.data:
            return np.full([self._sorted.sizes[axis] for axis in NETWORK], Status.CONVERGED, dtype=np.int8)
        values: NDArray = self._sorted["status"].transpose(*NETWORK).values
        return np.where(np.isfinite(values), values, Status.PENDING).astype(np.int8)

    @cached_property
    def converged(self) -> NDArray:
        """Which networks were trained to the end, shape (width, amplitude, seed)."""
        return self.status == Status.CONVERGED

    def __contains__(self, variable: str) -> bool:
        return variable in self.data.variables and variable not in self.data.dims

    def within(self, low: float, high: float) -> Measurements:
        """Return the same measurements at the widths from ``low`` to ``high`` only."""
        labels = self.data["width"].values
        keep = (labels >= low) & (labels <= high)
        return self if keep.all() else replace(self, data=self.data.isel(width=keep))

    def is_one_number(self, variable: str) -> bool:
        """Whether a variable of the source (or a derived quantity) is a number per network, or per layer of one."""
        if variable not in self.data:
            return True
        one = self.data[variable]
        return one.dtype.kind in "iufb" and set(one.dims) <= {"width", self._axis, "seed", "layer"}

    @property
    def arms(self) -> tuple[str, ...]:
        """What was trained: the network, and frozen kernels beside it."""
        return tuple(map(str, self.data["arm"].values)) if "arm" in self.data.coords else ("network",)

    def one(self, variable: str) -> NDArray:
        """Return a variable that is the same for all networks."""
        values: NDArray = self.data[variable].values.astype(float)
        return values

    def outputs(self, width: int) -> NDArray:
        """Return the predictors F of the ``width``-th width, shape (amplitude, seed, test_point), NaN if not converged.

        One width at a time: the predictors of 100,000 networks need not fit into memory.
        """
        # a slice is read by the decoder in Rust; a single index is not, and takes six times as long
        one = self._sorted["test_output"].isel(width=slice(width, width + 1))
        output: NDArray = one.transpose("width", "amplitude", "seed", "test_point").values[0]
        here = self.converged[width]
        return output if here.all() else np.where(here[..., None], output, np.float32(np.nan))

    def network(self, variable: str, arm: str = "network") -> NDArray:
        """Return one number per network, shape (width, amplitude, seed), NaN where training did not converge.

        A variable with a dimension ``layer`` is summed over it in quadrature: ||W - W(0)|| of all matrices together.
        """
        if (variable, arm) in self._read:
            return self._read[variable, arm]
        values: xr.DataArray = self._sorted[variable]
        if "arm" in values.dims:
            values = values.sel(arm=arm, drop=True) if "arm" in values.coords else values.isel(arm=0)
        absent = [axis for axis in NETWORK if axis not in values.dims]
        if absent:  # the same for all networks along an axis
            values = values.expand_dims({axis: self._sorted.sizes[axis] for axis in absent})
        layers = ["layer"] if "layer" in values.dims else []
        numbers = values.transpose(*NETWORK, *layers).values.astype(float)
        if layers:
            numbers = np.sqrt((numbers**2).sum(axis=-1))
        result = np.where(self.converged, numbers, np.nan)
        result.flags.writeable = False  # it is handed out again
        self._read[variable, arm] = result
        return result

    @cached_property
    def initial_velocities(self) -> NDArray:
        """rms dz/dt of the hidden layers at the first checkpoint, shape (width, amplitude, seed, layer)."""
        values = self._sorted["preactivation_velocity"].astype(float)
        values = values.isel(checkpoint=0, layer=slice(None, -1)).transpose(*NETWORK, "layer")
        return np.where(self.converged[..., None], values.values, np.nan)

    @cached_property
    def deviations(self) -> NDArray:
        """Mean over test points of (F - mean over seeds of F)², (width, amplitude, seed); NaN if not converged."""
        return self._squares_of_outputs[0]

    @property
    def output_rms(self) -> NDArray:
        """Root of the mean over test points of F² at the stop, (width, amplitude, seed); NaN if not converged."""
        return np.sqrt(self._squares_of_outputs[1])

    @cached_property
    def _squares_of_outputs(self) -> tuple[NDArray, NDArray]:
        """Means over test points of (F - mean over seeds of F)² and of F², in one reading of the outputs."""
        deviations, squares = (np.full(self.converged.shape, np.nan) for _ in range(2))
        for i in range(len(self.widths)):
            output = self.outputs(i)
            for j, here in enumerate(self.converged[i]):
                if here.any():
                    predictor = output[j, here].astype(float)
                    squares[i, j, here] = np.einsum("st,st->s", predictor, predictor) / predictor.shape[1]
                    if len(predictor) > 1:
                        predictor -= predictor.mean(axis=0)
                        deviations[i, j, here] = np.einsum("st,st->s", predictor, predictor) / predictor.shape[1]
        return deviations, squares

    def excluded(self, window: NDArray) -> dict[str, int]:
        """Count the networks that did not converge in the cells of ``window``, shape (width, amplitude), by reason."""
        left_out = self.status[window]
        counts = {status.sentence: int((left_out == status).sum()) for status in Status if status != Status.CONVERGED}
        return {sentence: count for sentence, count in counts.items() if count}


def measurements(source: Source | Iterable[Source]) -> list[Measurements]:  # type: ignore[valid-type]
    """Open one source or several and return their experiments.

    Parameters
    ----------
    source : path, xarray.DataTree, xarray.Dataset, Measurements, or a sequence of these
        A Zarr store; a CSV file with one row per network and the columns width, root_h_alpha (or alpha), seed, then
        variables, and optionally experiment, activation and depth; a netCDF file with these as dimensions, variables
        and attributes, or as variables along one dimension (a table).

    Raises
    ------
    InputError
        If a source can't be read, holds no experiment, or names an experiment that another one already has.
    """
    sources = [source] if isinstance(source, str | Path | xr.DataTree | xr.Dataset | Measurements) else list(source)
    found: dict[str, Measurements] = {}
    for one in sources:
        for experiment in _experiments(one):
            if experiment.name in found:
                raise InputError(
                    "store", experiment.store or experiment.name,
                    f"experiment {experiment.name!r} is also in {found[experiment.name].store or 'another source'}",
                    "Give each experiment once, or rename one",
                )  # fmt: skip
            found[experiment.name] = experiment
    if not found:
        raise InputError("store", str(source), "there is no experiment in it", "Give a store written by simulate")
    return list(found.values())


def _experiments(source: Source) -> list[Measurements]:  # type: ignore[valid-type]
    if isinstance(source, Measurements):
        return [source]
    if isinstance(source, xr.DataTree):
        return _from_tree(source, None)
    if isinstance(source, xr.Dataset):
        return [_from_dataset(source, None, "experiment")]
    path = Path(source)
    if not path.exists():
        raise InputError("store", str(path), "there is no such file or folder", "Check the path")
    try:
        if path.suffix == ".csv":
            return _from_table(pd.read_csv(path, comment="#"), path)
        if path.is_dir():
            # thousands of small chunks are read in a fifth of the time by zarr's decoder in Rust
            with warnings.catch_warnings(), zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
                # stores of others need not be consolidated; ours have pieces of their own beside the hierarchy
                warnings.filterwarnings("ignore", message="Failed to open Zarr store with consolidated metadata")
                warnings.filterwarnings("ignore", message="Array is unsupported by ZarrsCodecPipeline")
                return _from_tree(xr.open_datatree(path, engine="zarr", chunks=None), str(path))
        return _from_netcdf(path)
    except InputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            "store", str(path), f"it can't be read ({type(error).__name__}: {str(error).splitlines()[0]})",
            "Give a Zarr store, a netCDF file, or a CSV file with the columns width, root_h_alpha and seed",
        ) from error  # fmt: skip


def _from_tree(tree: xr.DataTree, store: str | None) -> list[Measurements]:
    return [
        _from_dataset(node.to_dataset(), store, node.name or "experiment")
        for node in sorted(tree.subtree, key=lambda node: node.path)  # not as the disk lists them
        if "seed" in node.dims
    ]


def _from_dataset(data: xr.Dataset, store: str | None, name: str) -> Measurements:
    recorded = data.attrs.get("experiment", "{}")
    try:
        description = json.loads(recorded) if isinstance(recorded, str) else dict(recorded)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name}.attrs['experiment']", recorded, f"it is no JSON ({error.msg})", "Repair the store"
        ) from error
    for key in _LABELS:
        if key in data.attrs:
            description.setdefault(key, data.attrs[key])
    return Measurements(data, str(description.get("name", name)), store, description)


def _stem(path: Path) -> str:
    """Return a file's name without what says its format: ``run`` of ``run.nc.gz``."""
    return Path(path.name.removesuffix(".gz")).stem


def _from_netcdf(path: Path) -> list[Measurements]:
    data = xr.open_dataset(path)
    columns = [name for name in data.variables if data[name].ndim == 1]
    if "width" in data.dims or "width" not in columns:
        return [_from_dataset(data, str(path), _stem(path))]
    # a table: one entry a network along the one dimension of the width, as columns of a CSV file
    rows = [name for name in columns if data[name].dims == data["width"].dims and name not in data.dims]
    labels = {key: data.attrs[key] for key in _LABELS if key in data.attrs and key not in rows}
    return _from_table(data[rows].to_dataframe().reset_index(drop=True).assign(**labels), path)


def _from_table(table: pd.DataFrame, path: Path) -> list[Measurements]:
    amplitude = next((axis for axis in _AXES if axis in table), None)
    index = [column for column in ("width", amplitude, "seed") if column is not None and column in table]
    if len(index) < 3:
        raise InputError(
            "store", str(path), f"its columns are {', '.join(table.columns[:12])}",
            "Give at least the columns width, root_h_alpha (or alpha) and seed",
        )  # fmt: skip
    found = []
    groups = table.groupby("experiment", sort=False) if "experiment" in table else [(_stem(path), table)]
    for name, rows in groups:
        twice = rows[index][rows[index].duplicated()]
        if len(twice):
            raise InputError(
                "store", str(path), f"experiment {name!r} has the network {twice.iloc[0].to_dict()} twice",
                "Give one row per width, amplitude and seed",
            )  # fmt: skip
        labels = {key: rows[key].iloc[0] for key in _LABELS if key in rows}
        numbers = rows.drop(columns=["experiment", *labels], errors="ignore")
        if amplitude == "root_h_alpha":
            numbers = numbers.drop(columns="alpha", errors="ignore")
        numbers = _only_numbers(numbers, index, path)
        if amplitude == "alpha":
            numbers = _on_common_amplitudes(numbers)
        axes = ["width", next(axis for axis in _AXES if axis in numbers), "seed"]
        data = numbers.set_index(axes).to_xarray().assign_attrs(labels)
        found.append(_from_dataset(data, str(path), str(name)))
    return found


def _on_common_amplitudes(table: pd.DataFrame) -> pd.DataFrame:
    """Index by A = sqrt(h)·alpha a table that tells alpha, where its widths share fewer values of A than of alpha."""
    if not (table["width"] > 0).all() or not (table["alpha"] > 0).all():
        return table  # refused later, with the others
    log = np.log(table["alpha"]) + 0.5 * np.log(table["width"])
    levels = np.sort(log.unique())
    # tables tell alpha to a few digits
    group = np.concatenate([[0], np.cumsum(np.diff(levels) > CLOSE)])
    if group[-1] + 1 >= table["alpha"].nunique():
        return table
    amplitude = np.exp(np.bincount(group, levels) / np.bincount(group))
    common = amplitude[group[np.searchsorted(levels, log)]]
    return table.assign(alpha=common).rename(columns={"alpha": "root_h_alpha"})


def _only_numbers(table: pd.DataFrame, index: list[str], path: Path) -> pd.DataFrame:
    """Leave out columns of text that nobody asks for; refuse text among the numbers of those that are read."""
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
            f"{path}: {column}, row {row + 1}", str(table.loc[row, column]), "is no number",
            "Write one" if column in index else "Write one, or leave it empty",
        )  # fmt: skip
    return numbers
