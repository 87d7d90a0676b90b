"""What a store asks of the storage under it: objects of bytes by their keys, and a lock for the one writer.

Implementations: a folder (`simulate.store.folder`), a prefix on object storage (`simulate.store.object_storage`),
memory (`simulate.store.in_memory`, for tests). `simulate.store.locations` takes the one that a path names. An object is
written whole or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from lazyrich import exit_codes
from lazyrich.errors import ExpectedError

#: folder for what lies beside the Zarr hierarchy: the root's copy, the records of runs and commits, the lock
BOOKKEEPING = ".lazyrich"


class StoreError(ExpectedError):
    """The storage failed while a run was writing (disk full, permission lost, another run holds the store)."""

    exit_code = exit_codes.SYSTEM


@contextmanager
def storage_errors(path: object) -> Iterator[None]:
    """Turn the operating system's errors into `StoreError`, which says what is kept."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{path}: {reason}. What was finished is kept; mend this and run the same command again."
        ) from error


class StorageBackend(Protocol):
    """Objects of bytes by their keys (``one/status/zarr.json``), and a lock.

    All methods raise `OSError` where the storage fails, `FileNotFoundError` where there is no such object.
    """

    def read(self, key: str) -> bytes:
        """Return an object."""

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def write(self, objects: Mapping[str, bytes]) -> None:
        """Write objects; when this returns, they survive a loss of power."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key without an object is skipped."""

    def keys(self, folder: str = "") -> list[str]:
        """Return the keys of all objects, or of those in a folder."""

    def obstruction(self, key: str) -> str | None:
        """Say what is in an object's place that is no object ("is a folder"); None if nothing is."""

    def remove_obstructions(self, keys: Iterable[str]) -> None:
        """Remove whatever is in the place of these objects and is none, so that they can be written."""

    def is_empty(self) -> bool:
        """Whether there is nothing but what `BOOKKEEPING` holds."""

    def create(self) -> None:
        """Create the folder, where storage of this kind has any."""

    def zarr_store(self) -> Any:
        """Return what zarr and xarray open."""

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold the storage for one writer, or raise `StoreError` at once."""

    def break_lock(self) -> bool:
        """Remove the lock of a run that is dead; return whether there was any to be removed."""


def read_if_present(backend: StorageBackend, key: str) -> bytes | None:
    """Return an object; None if there is none, or something else is in its place (`StorageBackend.obstruction`)."""
    try:
        return backend.read(key)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
