"""How a store is opened for reading, by whoever reads one: commands, reports, exports.

Where reading fails, the store itself says which part of it is damaged.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from pathlib import Path

import xarray as xr

from simulate.store.backend import StorageBackend
from simulate.store.damaged_store import Damage, damage_as_cause
from simulate.store.locations import backend_for
from simulate.store.presence import check_presence
from simulate.store.root import COPY, ROOT, read_root
from simulate.store.zarr_settings import check_zarr_settings


def open_tree(path: str | Path | StorageBackend) -> xr.DataTree:
    """Open a Zarr hierarchy, lazily: a store of lazyrich, or one that others wrote.

    A store of lazyrich is opened by what its root says, and refused if that is damaged.

    Raises
    ------
    InputError
        If there is no hierarchy, its schema version is unknown, or zarr is told to work as it can't.
    DamagedStoreError
        Naming what is damaged.
    """
    check_zarr_settings()
    backend = backend_for(path)
    root = read_root(backend) if _is_store(backend) else None
    with naming_damage(backend), warnings.catch_warnings():
        # stores of others need not be consolidated
        warnings.filterwarnings("ignore", message="Failed to open Zarr store with consolidated metadata")
        tree = xr.open_datatree(backend.zarr_store(), engine="zarr", chunks=None)
        if root is not None:
            names = [name for name in tree.children if "status" in tree[name].data_vars]
            check_presence(backend, root, {name: tree[name].to_dataset()["status"].values for name in names})
        return tree


def naming_damage(path: str | Path | StorageBackend) -> AbstractContextManager[None]:
    """Say which part of the store at ``path`` is damaged, if that is why what is done inside fails.

    Raises
    ------
    DamagedStoreError
        Naming the first damage; an exception that has another cause travels on.
    """

    def verify() -> list[Damage]:
        backend = backend_for(path)
        if not _is_store(backend):
            return []
        from simulate.store.store import Store  # and with it torch, which reading does without

        return Store.open(backend).verify()

    return damage_as_cause(path, verify)


def _is_store(backend: StorageBackend) -> bool:
    """Whether this is a store of lazyrich, whole or not."""
    if backend.exists(COPY):
        return True
    return backend.exists(ROOT) and b'"manifest"' in backend.read(ROOT)
