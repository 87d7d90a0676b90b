"""A store's numbers for other programs: a table of all networks, or netCDF."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from lazyrich.errors import InputError
from lazyrich.filenames import check_outside_stores, check_path, real_path
from simulate.campaign.experiment import Experiment
from simulate.store.opening import naming_damage
from simulate.store.store import Store
from simulate.training.status import Status

_COMPRESSION = 4  #: level of zlib: higher ones take longer for a few per cent


def export(store: Store, path: str | Path) -> list[Path]:
    """Write a store as one row per network (``.csv``) or as netCDF-4 (``.nc``); return the files.

    The netCDF file has a group an experiment (``xarray.open_datatree`` reads it), and is compressed.

    Raises
    ------
    InputError
        If the ending is another, or the path can't be written or is inside of a store.
    DamagedStoreError
        If the store can't be read because it is damaged.
    """
    out = check_path("out", path)
    writers = {".csv": _write_csv, ".nc": _write_netcdf}
    if out.suffix not in writers:
        raise InputError("out", str(out), "can't tell the format from its name", "End it in .csv or .nc")
    check_outside_stores("out", out)
    store.check_presence()
    with naming_damage(store.backend):
        experiments = {e.name: store.tree()[e.name].to_dataset().load() for e in store.campaign.experiment}
    try:
        with _whole(out) as partial:
            writers[out.suffix](store, experiments, partial)
    except OSError as error:
        raise InputError(
            "out", str(out), f"can't be written ({error.strerror or error})", "Give another path"
        ) from None
    return [out]


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give the path of a file to write, which takes the name ``path`` when it is whole; links are followed."""
    target = real_path(path)
    if target.exists() and not target.is_file():
        raise InputError("out", str(path), "it is no file", "Give another path")
    partial = target.with_name(f".{uuid.uuid4().hex}.partial")  # another export may be writing the same file
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(store: Store, experiments: dict[str, xr.Dataset], out: Path) -> None:
    import pandas as pd

    tables = []
    for experiment in store.campaign.experiment:
        data = experiments[experiment.name]
        per_network = data.drop_dims(["layer", "test_point", "checkpoint"], errors="ignore")
        # ||w - w_0|| of all matrices together, which is what a table of networks is asked for
        per_network["weight_change"] = (data["weight_change"] ** 2).sum("layer", skipna=False) ** 0.5
        table = per_network.to_dataframe().reset_index()
        table["status"] = [Status(code).name.lower() for code in table["status"]]
        for position, (column, value) in enumerate(_description(experiment).items()):
            table.insert(position, column, value)
        tables.append(table)
    pd.concat(tables).to_csv(out, index=False)


def _description(experiment: Experiment) -> dict[str, Any]:
    """Return what a table says of an experiment's networks: what laws are derived for is among it."""
    fields = ("activation", "depth", "normalise", "architecture", "dataset", "pca", "bias", "subtract_initial")
    described = {"experiment": experiment.name} | {name: getattr(experiment, name) for name in fields}
    return described | {"dynamics": experiment.dynamics.name}


def _write_netcdf(store: Store, experiments: dict[str, xr.Dataset], out: Path) -> None:
    root = xr.Dataset(attrs=_plain_attributes(store.root.attributes))
    encoding = {}
    for name, data in experiments.items():
        data.attrs = _plain_attributes(data.attrs)
        for variable in data.variables.values():
            variable.encoding.clear()
        encoding[f"/{name}"] = {
            str(key): {"zlib": True, "complevel": _COMPRESSION}
            for key, variable in data.variables.items()
            if variable.ndim and variable.dtype.kind in "iufb"
        }
    xr.DataTree.from_dict({"/": root, **experiments}).to_netcdf(out, engine="h5netcdf", encoding=encoding)


def _plain_attributes(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes as texts, JSON where they are not: netCDF has no nested ones."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
