"""A store in this process's memory: the twin of a folder, for tests and for campaigns whose results nobody keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zarr.core.buffer import cpu
from zarr.storage import MemoryStore

from simulate.store.backend import BOOKKEEPING, StoreError


class MemoryBackend:
    """Objects in a dictionary; see `simulate.store.backend.StorageBackend`. Pass it where a store's path is asked for.

    Examples
    --------
    >>> backend = MemoryBackend()
    >>> backend.write({"one/zarr.json": b"{}"})
    >>> backend.keys("one")
    ['one/zarr.json']
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._held = False

    def __str__(self) -> str:
        return "memory"

    def read(self, key: str) -> bytes:
        """Return an object."""
        if key not in self.objects:
            raise FileNotFoundError(key)
        return self.objects[key]

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return key in self.objects

    def write(self, objects: Mapping[str, bytes]) -> None:
        """Write objects."""
        self.objects.update({key: bytes(data) for key, data in objects.items()})

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key without an object is skipped."""
        for key in list(keys):
            self.objects.pop(key, None)

    def keys(self, folder: str = "") -> list[str]:
        """Return the keys of all objects, or of those in a folder."""
        prefix = f"{folder}/" if folder else ""
        return sorted(key for key in self.objects if key.startswith(prefix))

    def obstruction(self, key: str) -> str | None:
        """Nothing: a key has an object or has none."""
        return None

    def remove_obstructions(self, keys: Iterable[str]) -> None:
        """Nothing: a key has an object or has none."""

    def is_empty(self) -> bool:
        """Whether there is nothing but what `BOOKKEEPING` holds."""
        return all(key.startswith(f"{BOOKKEEPING}/") for key in self.objects)

    def create(self) -> None:
        """Nothing: memory is there."""

    def zarr_store(self) -> Any:
        """Return what zarr and xarray open: the objects of this moment."""
        return MemoryStore({key: cpu.Buffer.from_bytes(data) for key, data in self.objects.items()})

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the objects for one writer of this process."""
        if self._held:
            raise StoreError(f"{self}: another run is writing to it. Wait for it, or stop it.")
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def break_lock(self) -> bool:
        """Release the lock; return whether it was held."""
        held, self._held = self._held, False
        return held
