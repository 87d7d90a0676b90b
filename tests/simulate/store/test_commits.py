"""A commit record says whose bytes a task's chunks are."""

import pytest

from simulate.store.checked_json import digest_of
from simulate.store.commits import CommitRecord
from simulate.store.in_memory import MemoryBackend

STATUS = "one/status/c/1/0/2"
CHUNKS = {STATUS: b"s", "one/x/c/1/0/2": b"x"}


def test_it_lies_beside_the_hierarchy_by_its_tasks_position():
    assert CommitRecord(STATUS, "campaign").key == ".lazyrich/commits/one/1.0.2.json"


def test_it_is_read_as_it_was_written():
    backend, record = MemoryBackend(), CommitRecord(STATUS, "campaign")
    assert record.read(backend) is None
    backend.write({record.key: record.bytes_of(CHUNKS)})
    assert record.read(backend) == {key: [digest_of(data)] for key, data in CHUNKS.items()}
    backend.write({record.key: record.bytes_of(CHUNKS, {**CHUNKS, STATUS: b"t"})})
    assert record.read(backend)[STATUS] == [digest_of(b"s"), digest_of(b"t")]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        CommitRecord("one/status/c/0/0/2", "campaign").bytes_of(CHUNKS),
        CommitRecord(STATUS, "another campaign").bytes_of(CHUNKS),
        CommitRecord(STATUS, "campaign").bytes_of(CHUNKS)[:-2],
    ],
)
def test_another_ones_record_and_a_harmed_one_are_refused(text):
    backend, record = MemoryBackend(), CommitRecord(STATUS, "campaign")
    backend.write({record.key: text})
    with pytest.raises(ValueError, match=r"as it was written|of another task"):
        record.read(backend)
