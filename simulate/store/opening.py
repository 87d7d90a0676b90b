"""How a store is opened for reading, by whoever reads one: commands, reports, exports.

Where reading fails, the store itself says which part of it is damaged.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from lazyrich.errors import ExpectedError
from simulate.store.backend import StorageBackend, backend_for
from simulate.store.presence import check_presence
from simulate.store.root import COPY, ROOT, read_root


def open_tree(path: str | Path | StorageBackend) -> xr.DataTree:
    """Open a Zarr hierarchy, lazily: a store of lazyrich, or one that others wrote.

    A store of lazyrich is opened by what its root says, and refused if that is damaged.

    Raises
    ------
    InputError
        If there is no hierarchy, or its schema version is unknown.
    DamagedStoreError
        Naming what is damaged.
    """
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


@contextmanager
def naming_damage(path: str | Path | StorageBackend) -> Iterator[None]:
    """Say which part of a store is damaged, if that is why what is done inside failed.

    Raises
    ------
    DamagedStoreError
        Naming the first damage; an exception that has another cause travels on.
    """
    try:
        yield
    except ExpectedError:
        raise
    except Exception:
        backend = backend_for(path)
        if not _is_store(backend):
            raise
        from simulate.store.store import Store  # and with it torch, which reading does without

        with Store.open(backend).naming_damage():
            raise


def _is_store(backend: StorageBackend) -> bool:
    """Whether this is a store of lazyrich, whole or not."""
    if backend.exists(COPY):
        return True
    return backend.exists(ROOT) and b'"manifest"' in backend.read(ROOT)
