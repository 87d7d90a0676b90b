"""A store in a folder of the local (or mounted) file system."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from simulate.store.backend import BOOKKEEPING, StoreError, storage_errors
from simulate.store.file_lock import HeldElsewhereError, break_file_lock, file_lock

#: so many objects from which on one sync of everything is cheaper than one for each
_SYNC_EVERYTHING = 200


class FolderBackend:
    """A folder; see `simulate.store.backend.StorageBackend`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def read(self, key: str) -> bytes:
        """Return an object."""
        # a pipe in a file's place would be waited for
        descriptor = os.open(self.path / key, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise IsADirectoryError(f"{self.path / key} is no file")
            return file.read()

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return (self.path / key).is_file()

    def write(self, objects: Mapping[str, bytes]) -> None:
        """Write objects: under another name, flushed, then renamed, and the folders flushed."""
        if not objects:
            return
        # the lock admits one writer, so what a killed one has left under this name is overwritten by the next
        targets = {self.path / key: data for key, data in objects.items()}
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

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key without an object is skipped."""
        for key in keys:
            (self.path / key).unlink(missing_ok=True)

    def keys(self, folder: str = "") -> list[str]:
        """Return the keys of all objects, or of those in a folder."""
        return sorted(_files_below(str(self.path / folder), f"{folder}/" if folder else ""))

    def obstruction(self, key: str) -> str | None:
        """Say what is in an object's place that is no object; None if nothing is."""
        try:
            mode = (self.path / key).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISREG(mode):
            return None
        return next(problem for is_kind, problem in _KINDS if is_kind(mode))

    def remove_obstructions(self, keys: Iterable[str]) -> None:
        """Remove folders, links and pipes in the place of these objects, and files in the place of their folders."""
        for key in keys:
            target = self.path / key
            inside = [parent for parent in target.parents if self.path in parent.parents]
            for folder in reversed(inside):
                if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                    folder.unlink()
            if self.obstruction(key) is None:
                continue
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()

    def is_empty(self) -> bool:
        """Whether there is nothing but what `BOOKKEEPING` holds."""
        if not self.path.exists():
            return True
        return self.path.is_dir() and all(entry.name == BOOKKEEPING for entry in self.path.iterdir())

    def create(self) -> None:
        """Create the folder."""
        if not self.path.exists():
            self.path.mkdir(parents=True)

    def zarr_store(self) -> Path:
        """Return what zarr and xarray open."""
        return self.path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one writer."""
        with contextlib.ExitStack() as held:
            try:
                with storage_errors(self):
                    held.enter_context(file_lock(self.path))
            except HeldElsewhereError as error:
                raise StoreError(
                    f"{self.path}: another run is writing to it{error}. Wait for it, or stop it."
                ) from error
            yield

    def break_lock(self) -> bool:
        """Remove the lock of a run that is dead; the operating system's own has gone with its process."""
        with storage_errors(self):
            return break_file_lock(self.path)


_KINDS = (
    (stat.S_ISDIR, "is a folder"),
    (stat.S_ISLNK, "is a symbolic link"),
    (lambda mode: True, "is no file"),
)


def _files_below(folder: str, prefix: str) -> Iterator[str]:
    """Yield the paths of all files in a folder and below, with ``prefix``; tens of thousands of them in a moment."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_file() and not entry.name.endswith(".partial"):
            yield prefix + entry.name


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

    if os.name != "posix":  # folders can't be opened elsewhere, nor files flushed that were opened for reading
        return
    if len(paths) > _SYNC_EVERYTHING:
        os.sync()
        return
    list(_flushing().map(flush, paths))


@functools.cache
def _flushing() -> ThreadPoolExecutor:
    """Flush at once: file systems commit what waits together, and one after the other takes ten times as long."""
    return ThreadPoolExecutor(16, "flush")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_flushing.cache_clear)  # its threads stay with the parent
