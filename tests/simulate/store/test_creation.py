"""A store is laid out once; where that was interrupted, anew."""

import pytest

from lazyrich.errors import InputError
from simulate.data import load_data
from simulate.store.creation import create, writing_errors
from simulate.store.in_memory import MemoryBackend
from simulate.store.root import CREATING, ROOT, read_root


@pytest.fixture(scope="module")
def data(tiny):
    return {e.name: load_data(e) for e in tiny.experiment}


def test_what_is_empty_is_laid_out_and_what_is_there_is_not(tiny, data):
    backend = MemoryBackend()
    assert create(backend, tiny, data, "cpu")
    assert read_root(backend).attributes["digest"] == tiny.digest
    assert not backend.exists(CREATING)
    written = dict(backend.objects)
    assert not create(backend, tiny, data, "cpu")
    assert backend.objects == written


def test_an_interrupted_layout_is_made_anew(tiny, data):
    backend = MemoryBackend()
    backend.write({CREATING: b"x", "one/zarr.json": b"half", "leftover": b""})
    assert create(backend, tiny, data, "cpu")
    assert not backend.exists("leftover")
    assert backend.exists(ROOT)


def test_a_mark_that_was_left_behind_is_removed(tiny, data):
    backend = MemoryBackend()
    create(backend, tiny, data, "cpu")
    backend.write({CREATING: b"x"})
    assert not create(backend, tiny, data, "cpu")
    assert not backend.exists(CREATING)


def test_what_the_system_refuses_is_bad_input():
    with pytest.raises(InputError, match=r"can't be written \(disk full\)"), writing_errors(MemoryBackend()):
        raise OSError("disk full")
