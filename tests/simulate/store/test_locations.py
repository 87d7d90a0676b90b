"""A path is a folder, a URL object storage, and a backend itself."""

from pathlib import Path

import pytest

from lazyrich.errors import InputError
from simulate.store.folder import FolderBackend
from simulate.store.in_memory import MemoryBackend
from simulate.store.locations import backend_for
from simulate.store.object_storage import ObjectStorageBackend


@pytest.mark.parametrize("path", ["runs/s.zarr", Path("runs/s.zarr"), "file://runs/s.zarr", "local://runs/s.zarr"])
def test_paths_and_urls_of_files_are_folders(path):
    backend = backend_for(path)
    assert isinstance(backend, FolderBackend)
    assert backend.path == Path("runs/s.zarr")


def test_other_urls_are_object_storage():
    assert isinstance(backend_for("memory://bucket/s.zarr"), ObjectStorageBackend)


def test_a_backend_is_taken_as_it_is():
    backend = MemoryBackend()
    assert backend_for(backend) is backend


def test_a_url_needs_a_scheme():
    with pytest.raises(InputError, match="no scheme"):
        backend_for("://bucket/s.zarr")
