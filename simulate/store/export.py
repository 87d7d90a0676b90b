"""A store's numbers for other programs: a table of all networks, or netCDF."""

from __future__ import annotations

import json
from pathlib import Path

import xarray as xr

from lazyrich.errors import InputError
from lazyrich.filenames import check_path, file_names
from simulate.store.store import Store


def export(store: Store, path: str | Path) -> list[Path]:
    """Write a store as one row per network (``.csv``) or one file an experiment (``.nc``); return the files.

    With several experiments netCDF files are called after them: ``OUT-NAME.nc``.

    Raises
    ------
    InputError
        If the ending is another, or the path can't be written.
    DamagedStoreError
        If the store can't be read because it is damaged.
    """
    out = check_path("out", path)
    writers = {".csv": _write_csv, ".nc": _write_netcdf}
    if out.suffix not in writers:
        raise InputError("out", str(out), "can't tell the format from its name", "End it in .csv or .nc")
    store.check_presence()
    with store.naming_damage():
        experiments = {e.name: store.tree()[e.name].to_dataset().load() for e in store.campaign.experiment}
    try:
        return writers[out.suffix](store, experiments, out)
    except OSError as error:
        raise InputError("out", str(out), f"can't be written ({error.strerror})", "Give another path") from None


def _write_csv(store: Store, experiments: dict[str, xr.Dataset], out: Path) -> list[Path]:
    import pandas as pd

    tables = []
    for experiment in store.campaign.experiment:
        data = experiments[experiment.name]
        per_network = data.drop_dims(["layer", "test_point", "checkpoint"], errors="ignore")
        # ||w - w_0|| of all matrices together, which is what a table of networks is asked for
        per_network["weight_change"] = (data["weight_change"] ** 2).sum("layer", skipna=False) ** 0.5
        table = per_network.to_dataframe().reset_index()
        table.insert(0, "experiment", experiment.name)
        table.insert(1, "activation", experiment.activation)
        table.insert(2, "depth", experiment.depth)
        tables.append(table)
    pd.concat(tables).to_csv(out, index=False)
    return [out]


def _write_netcdf(store: Store, experiments: dict[str, xr.Dataset], out: Path) -> list[Path]:
    names = file_names(experiments)
    files = []
    for name, data in experiments.items():
        # netCDF 3 has neither nested attributes nor 64-bit integers
        data.attrs = {k: v if isinstance(v, str) else json.dumps(v) for k, v in data.attrs.items()}
        for variable in data.variables.values():
            variable.encoding.clear()
        path = out.with_name(f"{out.stem}-{names[name]}{out.suffix}") if len(experiments) > 1 else out
        data.to_netcdf(path, engine="scipy")
        files.append(path)
    return files
