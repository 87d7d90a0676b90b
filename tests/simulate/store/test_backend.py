"""Folder, object storage and memory keep the same promises."""

import fsspec
import pytest
import xarray as xr

from lazyrich.errors import InputError
from simulate import Store, StoreError, run
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.store.folder import FolderBackend
from simulate.store.in_memory import MemoryBackend
from simulate.store.locations import backend_for
from simulate.store.object_storage import ObjectStorageBackend


@pytest.fixture(params=["folder", "object storage", "memory"])
def backend(request, tmp_path):
    kinds = {
        "folder": lambda: FolderBackend(tmp_path / "s"),
        "object storage": lambda: ObjectStorageBackend("memory://bucket/s"),
        "memory": MemoryBackend,
    }
    yield kinds[request.param]()
    fsspec.filesystem("memory").store.clear()


def test_objects_are_written_read_listed_and_deleted(backend):
    assert backend.is_empty()
    backend.create()
    backend.write({".lazyrich/root.json": b"r"})
    assert backend.is_empty()
    backend.write({"one/zarr.json": b"1", "one/x/c/0": b"2", "two/zarr.json": b""})
    assert not backend.is_empty()
    assert backend.keys() == [".lazyrich/root.json", "one/x/c/0", "one/zarr.json", "two/zarr.json"]
    assert backend.keys("one") == ["one/x/c/0", "one/zarr.json"]
    backend.write({"one/x/c/0": b"3"})
    assert backend.read("one/x/c/0") == b"3"
    assert backend.exists("two/zarr.json")
    backend.delete(["two/zarr.json", "never/there"])
    assert not backend.exists("two/zarr.json")
    assert backend.obstruction("one/zarr.json") is None
    with pytest.raises(FileNotFoundError):
        backend.read("two/zarr.json")


def test_one_process_writes(backend):
    backend.create()
    with backend.lock(), pytest.raises(StoreError, match="another run is writing"), backend.lock():
        pass
    with backend.lock():
        pass
    assert not backend.break_lock()


def test_a_campaign_runs_into_memory_as_into_a_folder(tiny, finished):
    backend = MemoryBackend()
    store = run(tiny, backend, workers=1).store
    assert store.verify() == []
    for name in ("one", "two"):
        kept, expected = (
            s.tree()[name].to_dataset().drop_vars(NONDETERMINISTIC_VARIABLES) for s in (store, Store.open(finished))
        )
        xr.testing.assert_equal(kept, expected)


@pytest.mark.parametrize("path", ["", "a\0b", "a" * 5000, "~", "nosuch://x", "file://", "http://[", "://"])
def test_what_no_storage_can_be_is_refused_by_name(path):
    with pytest.raises(InputError) as caught:
        backend_for(path)
    assert caught.value.field == "store"


def test_a_url_of_files_is_a_folder(tmp_path):
    assert isinstance(backend_for(f"file://{tmp_path}"), FolderBackend)
