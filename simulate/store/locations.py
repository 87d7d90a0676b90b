"""Where stores are kept: the storage that a path or a URL names."""

from __future__ import annotations

from pathlib import Path

from lazyrich.errors import InputError
from lazyrich.filenames import check_path
from simulate.store.backend import StorageBackend
from simulate.store.folder import FolderBackend
from simulate.store.object_storage import ObjectStorageBackend


def backend_for(path: str | Path | StorageBackend) -> StorageBackend:
    """Return the backend that a path or a URL names.

    Raises
    ------
    InputError
        If the path can't be one, or no file system is installed for the URL.
    """
    if not isinstance(path, str | Path):
        return path
    scheme, separator, location = str(path).partition("://")
    if not separator:
        return FolderBackend(check_path("store", path))
    if not scheme:
        raise InputError("store", str(path), "has no scheme before ://", "Give a path, or a URL (s3://bucket/store)")
    if scheme in ("file", "local"):
        return FolderBackend(check_path("store", location))
    return ObjectStorageBackend(str(path))
