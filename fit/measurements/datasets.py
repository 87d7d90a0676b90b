"""Measurements from labelled sources: Zarr stores, trees and datasets of xarray, netCDF files."""

from __future__ import annotations

import gzip
import json
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path

import xarray as xr
import zarr

from fit.measurements.dialects import MOST_COLUMNS, check_columns
from fit.measurements.measurements import Measurements
from fit.measurements.netcdf_header import count_variables, is_hdf5
from fit.measurements.tables import LABELS, from_table, stem
from lazyrich.errors import InputError
from simulate.store.opening import open_tree

_LARGEST = 2**31  #: bytes of a packed file, which is unpacked in memory


def from_store(path: Path) -> list[Measurements]:
    """Read a Zarr store, lazily: a variable is read when it is asked for."""
    # thousands of small chunks are read in a fifth of the time by zarr's decoder in Rust
    with warnings.catch_warnings(), zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        warnings.filterwarnings("ignore", message="Array is unsupported by ZarrsCodecPipeline")
        return from_tree(open_tree(path), str(path))


def from_tree(tree: xr.DataTree, store: str | None) -> list[Measurements]:
    """Return the experiments of a tree: its nodes with a dimension ``seed``, dated as the root is."""
    created = {name: tree.attrs[name] for name in ("created",) if name in tree.attrs}
    return [
        from_dataset(node.to_dataset().assign_attrs(created), store, node.name or "experiment")
        for node in sorted(tree.subtree, key=lambda node: node.path)  # not as the disk lists them
        if "seed" in node.dims
    ]


def from_dataset(data: xr.Dataset, store: str | None, name: str) -> Measurements:
    """Return one experiment; its description is the JSON attribute ``experiment``, or attributes of their own."""
    recorded = data.attrs.get("experiment", "{}")
    try:
        description = json.loads(recorded) if isinstance(recorded, str) else recorded
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:100]
        raise InputError(
            f"{name}.attrs['experiment']", recorded, f"it is not valid JSON ({reason})", "Repair it"
        ) from error
    if not isinstance(description, Mapping):
        remedy = "Give the fields of a campaign's experiment as JSON, or leave it out"
        raise InputError(f"{name}.attrs['experiment']", recorded, "it is not a table of fields", remedy)
    description = dict(description)
    for key in LABELS:
        if key in data.attrs:
            description.setdefault(key, data.attrs[key])
    return Measurements(data, description.get("name", name), store, description)


def from_netcdf(path: Path) -> list[Measurements]:
    """Read a netCDF file: one experiment on a grid, a table with one entry a network, or a group an experiment."""
    _check_file(path)
    try:
        check_columns(path, count_variables(path, MOST_COLUMNS), "variables")
        if is_hdf5(path):
            tree = xr.open_datatree(path, engine="h5netcdf")
            if tree.children:
                return from_tree(tree, str(path))
            tree.close()
        data = xr.open_dataset(path)
    except (OSError, ValueError):
        raise
    except Exception as error:  # whatever the decoder of a format raises on a file that is cut or harmed
        raise ValueError(f"{type(error).__name__}: {error}") from error
    columns = [name for name in data.variables if data[name].ndim == 1]
    if "width" in data.dims or "width" not in columns:
        return [from_dataset(data, str(path), stem(path))]
    # one entry a network along the one dimension of the width, as columns of a CSV file
    rows = [name for name in columns if data[name].dims == data["width"].dims and name not in data.dims]
    labels = {key: data.attrs[key] for key in LABELS if key in data.attrs and key not in rows}
    table = data[rows].to_dataframe().reset_index(drop=True).assign(**labels)
    return [from_dataset(grid, str(path), name) for name, grid in from_table(table, path)]


def _check_file(path: Path) -> None:
    """Refuse pipes and devices, which have no end, and archives that unpack to more than fits into memory."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError("store", str(path), "it is no file", "Give a netCDF file")
    if path.suffix != ".gz":
        return
    size = 0
    with gzip.open(path, "rb") as file:  # a file that is no archive, or half of one, is told by who reads it
        while block := file.read(2**20):
            size += len(block)
            if size > _LARGEST:
                problem = f"it unpacks to more than {_LARGEST / 2**30:.0f} GiB"
                raise InputError("store", str(path), problem, "Unpack it, or give fewer networks")
