"""Descriptions, coordinates, the root and the records are written anew as they were."""

import pytest

from simulate.data import load_data
from simulate.store.creation import create
from simulate.store.in_memory import MemoryBackend
from simulate.store.records import RECORDS
from simulate.store.repair import repair_layout
from simulate.store.root import COPY, read_root


@pytest.fixture
def laid_out(tiny):
    data = {e.name: load_data(e) for e in tiny.experiment}
    backend = MemoryBackend()
    create(backend, tiny, data, "cpu")
    return backend, data


@pytest.mark.parametrize("key", ["one/zarr.json", "two/status/zarr.json", "one/width/c/0", COPY, RECORDS[0]])
def test_an_object_of_the_layout_is_written_as_it_was(laid_out, tiny, key):
    backend, data = laid_out
    before = dict(backend.objects)
    backend.write({key: b"harmed"})
    root = repair_layout(backend, read_root(backend), tiny, [key], data)
    assert root.sound
    assert backend.objects == before


def test_where_nothing_is_damaged_nothing_is_written(laid_out, tiny):
    backend, data = laid_out
    root = read_root(backend)
    assert repair_layout(backend, root, tiny, [], data) is root
