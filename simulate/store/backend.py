"""Where a store lives: a folder, or a prefix on object storage (any URL that fsspec knows), as named pieces of bytes.

A piece is written whole or not at all. One process writes: the one that holds the lock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import json
import os
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from lazyrich.errors import InputError

#: what lies beside the Zarr hierarchy: the root's copy, the records of runs, locks and marks
OWN = ".lazyrich"
_LOCK = f"{OWN}/lock"
_MANY = 200  # pieces, from which on one sync of everything is cheaper than one for each


class StoreError(Exception):
    """The storage failed while a run was writing (disk full, permission lost, another run holds the store)."""


@contextmanager
def storage(path: object) -> Iterator[None]:
    """Turn the operating system's errors into `StoreError`, which says what is kept."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{path}: {reason}. What was finished is kept; mend this and run the same command again."
        ) from error


class StorageBackend(Protocol):
    """Named pieces of bytes (``one/status/zarr.json``), and a lock.

    All methods raise `OSError` where the storage fails, `FileNotFoundError` where there is no such piece.
    """

    def read(self, name: str) -> bytes:
        """Return a piece."""

    def exists(self, name: str) -> bool:
        """Whether there is such a piece."""

    def write(self, pieces: Mapping[str, bytes]) -> None:
        """Write pieces; when this returns, they survive a loss of power."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete pieces, those that are not there too."""

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all pieces, or of those in a folder."""

    def is_empty(self) -> bool:
        """Whether nothing is here but what `OWN` holds."""

    def prepare(self) -> None:
        """Make the place, if places of this kind are made."""

    def zarr(self) -> Any:
        """Return what zarr and xarray open."""

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold the place for one writer, or raise `StoreError` at once."""

    def unlock(self) -> bool:
        """Remove the lock of a run that is dead; return whether there was any to be removed."""


def backend_for(path: str | Path | StorageBackend) -> StorageBackend:
    """Return the place that a path or a URL names.

    Raises
    ------
    InputError
        If no file system is installed for the URL.
    """
    if not isinstance(path, str | Path):
        return path
    scheme, separator, rest = str(path).partition("://")
    if not separator:
        return FolderBackend(Path(path))
    if scheme in ("file", "local"):
        return FolderBackend(Path(rest))
    return ObjectStorageBackend(str(path))


class FolderBackend:
    """A folder of the local (or mounted) file system. The lock is the operating system's: it goes with the process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def read(self, name: str) -> bytes:
        """Return a piece."""
        return (self.path / name).read_bytes()

    def exists(self, name: str) -> bool:
        """Whether there is such a piece."""
        return (self.path / name).is_file()

    def write(self, pieces: Mapping[str, bytes]) -> None:
        """Write pieces: under another name, flushed, then renamed, and the folders flushed."""
        if not pieces:
            return
        # the lock admits one writer, so what a killed one has left under this name is overwritten by the next
        targets = {self.path / name: data for name, data in pieces.items()}
        partial = {target: target.with_name(target.name + ".partial") for target in targets}
        touched: set[Path] = set()
        try:
            for target, data in targets.items():
                touched.update(_make_folders(target.parent))
                partial[target].write_bytes(data)
            _flush(partial.values())
            for target, temporary in partial.items():
                temporary.replace(target)
            _flush(touched | {target.parent for target in targets})
        except OSError:
            for temporary in partial.values():
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            raise

    def delete(self, names: Iterable[str]) -> None:
        """Delete pieces, those that are not there too."""
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all pieces, or of those in a folder."""
        files = (p for p in (self.path / folder).rglob("*") if p.is_file() and p.suffix != ".partial")
        return sorted(str(p.relative_to(self.path)) for p in files)

    def is_empty(self) -> bool:
        """Whether nothing is here but what `OWN` holds."""
        if not self.path.exists():
            return True
        return self.path.is_dir() and all(entry.name == OWN for entry in self.path.iterdir())

    def prepare(self) -> None:
        """Make the folder."""
        if not self.path.exists():
            self.path.mkdir(parents=True)

    def zarr(self) -> Path:
        """Return what zarr and xarray open."""
        return self.path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one writer."""
        with storage(self):
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise StoreError(f"{self.path}: can't be locked ({error.strerror}).") from error
                raise StoreError(f"{self.path}: another run is writing to it. Wait for it, or stop it.") from error
            yield
        finally:
            os.close(descriptor)

    def unlock(self) -> bool:
        """Nothing: the operating system's lock has gone with its process."""
        return False


class ObjectStorageBackend:
    """A prefix on object storage. Objects are put whole by the service; the lock is an object created only if absent.

    Where the service offers no conditional creation (fsspec then looks before it writes), two runs that start in the
    same instant could both begin: keep to one. A run that is killed leaves its lock; `unlock` removes it.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self.fs, self.root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            remedy = "Install the fsspec package for it (s3fs for s3://, gcsfs for gs://, adlfs for abfs://)"
            raise InputError("store", url, f"can't be opened ({str(error).rstrip('.')})", remedy) from None
        self.url = url
        self.root = self.root.rstrip("/")

    def __str__(self) -> str:
        return self.url

    def read(self, name: str) -> bytes:
        """Return a piece."""
        with _answers():
            return self.fs.cat_file(f"{self.root}/{name}")

    def exists(self, name: str) -> bool:
        """Whether there is such a piece."""
        with _answers():
            return bool(self.fs.isfile(f"{self.root}/{name}"))

    def write(self, pieces: Mapping[str, bytes]) -> None:
        """Put pieces."""
        with _answers():
            self.fs.pipe({f"{self.root}/{name}": data for name, data in pieces.items()})

    def delete(self, names: Iterable[str]) -> None:
        """Delete pieces, those that are not there too."""
        for name in names:
            with _answers(), contextlib.suppress(FileNotFoundError):
                self.fs.rm_file(f"{self.root}/{name}")

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all pieces, or of those in a folder."""
        with _answers():
            self.fs.invalidate_cache()
            found = self.fs.find(f"{self.root}/{folder}".rstrip("/"))
        return sorted(str(f)[len(self.root) + 1 :] for f in found)

    def is_empty(self) -> bool:
        """Whether nothing is here but what `OWN` holds."""
        with _answers():
            self.fs.invalidate_cache()
            try:
                entries = self.fs.ls(self.root, detail=False)
            except FileNotFoundError:
                return True
        return all(str(entry).rstrip("/").endswith(f"/{OWN}") for entry in entries)

    def prepare(self) -> None:
        """Nothing: prefixes are not made."""

    def zarr(self) -> str:
        """Return what zarr and xarray open."""
        return self.url

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the prefix for one writer."""
        own = {"host": platform.node(), "process": os.getpid(), "since": datetime.now(UTC).isoformat("T", "seconds")}
        with storage(self):
            try:
                with _answers():
                    self.fs.pipe_file(f"{self.root}/{_LOCK}", json.dumps(own).encode(), mode="create")
            except FileExistsError:
                raise StoreError(f"{self}: {self._holder()}") from None
        try:
            yield
        finally:
            with storage(self):
                self.delete([_LOCK])

    def unlock(self) -> bool:
        """Remove the lock of a run that is dead; return whether there was one."""
        held = self.exists(_LOCK)
        self.delete([_LOCK])
        return held

    def _holder(self) -> str:
        try:
            held = json.loads(self.read(_LOCK))
            who = f"process {held['process']} on {held['host']}, since {held['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            who = "holder unknown"
        return (
            f"another run is writing to it ({who}). Wait for it, or stop it; "
            f"if it is dead: python -m simulate unlock {self}"
        )


@contextmanager
def _answers() -> Iterator[None]:
    """What a service's client raises (no connection, no credentials, no such bucket) is a failing storage."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}".rstrip(". ")) from error


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the folders that got a new entry by it."""
    missing: list[Path] = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
    return [new.parent for new in missing]


def _flush(paths: Collection[Path]) -> None:
    """Bring files and folders to the disk."""

    def flush(path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    if len(paths) > _MANY:
        os.sync()
        return
    list(_flushing().map(flush, paths))


@functools.cache
def _flushing() -> ThreadPoolExecutor:
    """Flush at once: file systems commit what waits together, and one after the other takes ten times as long."""
    return ThreadPoolExecutor(16, "flush")


os.register_at_fork(after_in_child=_flushing.cache_clear)  # its threads stay with the parent
