"""How a store comes to be: its folder, the lock on it, and the layout, written so that an interruption is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lazyrich.errors import InputError
from lazyrich.filenames import check_outside_stores, real_path
from simulate.campaign.campaign import Campaign
from simulate.data import Data
from simulate.store.backend import StorageBackend
from simulate.store.checked_json import dump_checked
from simulate.store.folder import FolderBackend
from simulate.store.layout import lay_out
from simulate.store.locations import backend_for
from simulate.store.provenance import origin
from simulate.store.records import RECORDS
from simulate.store.root import COPY, CREATING, ROOT
from simulate.store.zarr_settings import check_zarr_settings


@contextmanager
def exclusive_lock(path: str | Path | StorageBackend) -> Iterator[None]:
    """Hold the store at ``path`` for this process; its folder is created if there is none.

    Raises
    ------
    InputError
        If the path can't be written, or is inside of another store.
    StoreError
        If another run holds it.
    """
    backend = backend_for(path)
    if isinstance(backend, FolderBackend):
        check_outside_stores("out", real_path(backend.path).parent)
    with writing_errors(backend):
        backend.create()
    with backend.lock():
        yield


@contextmanager
def writing_errors(backend: StorageBackend) -> Iterator[None]:
    """Turn the operating system's errors, before anything was computed, into `InputError`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "Give a path that can be written"
        raise InputError("out", str(backend), f"can't be written ({reason})", remedy) from None


def create(backend: StorageBackend, campaign: Campaign, data: Mapping[str, Data], device: str) -> bool:
    """Lay out a store where there is none, or where the making of one was interrupted; return whether it was done.

    Raises
    ------
    InputError
        If it can't be written, or zarr is told to work as it can't.
    """
    check_zarr_settings()
    with writing_errors(backend):
        begun = backend.exists(CREATING)
        unfinished = begun and not backend.exists(ROOT)
        new = unfinished or backend.is_empty()
        if unfinished:
            backend.delete(backend.keys())
        if new:
            _lay_out(backend, campaign, data, device)
        elif begun:
            backend.delete([CREATING])
    return new


def _lay_out(backend: StorageBackend, campaign: Campaign, data: Mapping[str, Data], device: str) -> None:
    """Write a new store: a mark first and the root last, so that one that was interrupted is known for what it is."""
    objects = lay_out(campaign, data, origin(campaign, data, device))
    root = objects.pop(ROOT)
    backend.write({CREATING: campaign.digest.encode()})
    backend.write({**objects, **dict.fromkeys(RECORDS, dump_checked([]))})
    backend.write({COPY: root})
    backend.write({ROOT: root})
    backend.delete([CREATING])
