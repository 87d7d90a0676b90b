"""Reading any source: stores, trees, netCDF files and tables become `Measurements`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import xarray as xr

from fit.measurements.datasets import from_dataset, from_netcdf, from_store, from_tree
from fit.measurements.dialects import is_table
from fit.measurements.measurements import Measurements
from fit.measurements.tables import from_dataframe, read_table
from lazyrich.errors import InputError

Source = "str | Path | xr.DataTree | xr.Dataset | pd.DataFrame | Measurements"


def measurements(source: Source | Iterable[Source]) -> list[Measurements]:  # type: ignore[valid-type]
    """Open one source or several and return their experiments.

    Parameters
    ----------
    source : path, xarray.DataTree, xarray.Dataset, pandas.DataFrame, Measurements, or a sequence of these
        A Zarr store; a CSV file (or one with tabs, semicolons or spaces, compressed or not) with one row per network
        and the columns width, root_h_alpha (or alpha), seed, then variables, and optionally experiment, activation and
        depth; a netCDF file with these as dimensions, variables and attributes, or as variables along one dimension (a
        table). A DataFrame is read as such a CSV file is.

    Raises
    ------
    InputError
        If a source can't be read, holds no experiment, or names an experiment that another one already has.
    """
    single = isinstance(source, str | Path | xr.DataTree | xr.Dataset | pd.DataFrame | Measurements)
    sources = [source] if single else list(source)
    by_name: dict[str, Measurements] = {}
    for experiment in (experiment for item in sources for experiment in _experiments(item)):
        if experiment.name in by_name:
            raise InputError(
                "store", experiment.store or experiment.name,
                f"experiment {experiment.name!r} is also in {by_name[experiment.name].store or 'another source'}",
                "Give each experiment once, or rename one",
            )  # fmt: skip
        by_name[experiment.name] = experiment
    if not by_name:
        raise InputError("store", str(source), "there is no experiment in it", "Give a store written by simulate")
    return list(by_name.values())


def _experiments(source: Source) -> list[Measurements]:  # type: ignore[valid-type]
    if isinstance(source, Measurements):
        return [source]
    if isinstance(source, xr.DataTree):
        return from_tree(source, None)
    if isinstance(source, xr.Dataset):
        return [from_dataset(source, None, "experiment")]
    if isinstance(source, pd.DataFrame):
        return from_dataframe(source)
    path = Path(source)
    if not path.exists():
        raise InputError("store", str(path), "there is no such file or folder", "Check the path")
    try:
        if path.is_dir():
            return from_store(path)
        return read_table(path) if is_table(path) else from_netcdf(path)
    except InputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            "store", str(path), f"it can't be read ({type(error).__name__}: {str(error).splitlines()[0]})",
            "Give a Zarr store, a netCDF file, or a CSV file with the columns width, root_h_alpha and seed",
        ) from error  # fmt: skip
