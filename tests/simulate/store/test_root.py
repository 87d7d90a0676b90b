"""The root bears a seal over all that it says."""

import pytest

from lazyrich.errors import InputError
from simulate.store.checked_json import load_json
from simulate.store.damaged_store import DamagedStoreError
from simulate.store.in_memory import MemoryBackend
from simulate.store.root import COPY, CREATING, ROOT, read_root, sealed


@pytest.fixture
def document(finished):
    return load_json((finished / ROOT).read_bytes())


def read(objects):
    backend = MemoryBackend()
    backend.write(objects)
    return read_root(backend)


def test_a_sealed_root_is_sound_and_every_change_breaks_its_seal(document):
    whole = sealed(document)
    assert read({ROOT: whole, COPY: whole}).sound
    assert not read({ROOT: whole.replace(b"softplus", b"softmain"), COPY: whole}).sound
    assert not read({ROOT: whole + b" ", COPY: whole}).sound
    assert not read({COPY: whole}).sound


@pytest.mark.parametrize(
    ("objects", "error", "problem"),
    [
        ({}, InputError, "no such store"),
        ({"thesis.tex": b"x"}, InputError, "is not a store"),
        ({ROOT: b'{"zarr_format": 3}'}, InputError, "is not a store of lazyrich"),
        ({CREATING: b"x"}, InputError, "was being made"),
        ({ROOT: b"x", COPY: b"y"}, DamagedStoreError, "and so is the copy"),
    ],
)
def test_what_is_no_root_is_told(objects, error, problem):
    with pytest.raises(error, match=problem) as caught:
        read(objects)
    assert type(caught.value) is error


@pytest.mark.parametrize("change", ["format", "kind of node", "consolidation", "kind of consolidation"])
def test_a_seal_does_not_make_a_group_of_what_is_none(document, change):
    """Zarr would not open it: it is damage, whoever sealed it."""
    if change == "format":
        document["zarr_format"] = 2
    elif change == "kind of node":
        document["node_type"] = {}
    elif change == "consolidation":
        document["consolidated_metadata"] = []
    else:
        document["consolidated_metadata"]["kind"] = {"inline": True}
    whole = sealed(document)
    with pytest.raises(DamagedStoreError):
        read({ROOT: whole, COPY: whole})
