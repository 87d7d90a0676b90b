"""The records of runs are kept twice."""

import pytest

from simulate.store.in_memory import MemoryBackend
from simulate.store.records import RECORDS, damaged_records, read_records, write_records

RUNS = [{"started": "2026-01-01", "how": "done"}]


def test_they_are_read_in_the_order_in_which_they_were_written():
    backend = MemoryBackend()
    assert read_records(backend) == []
    write_records(backend, [*RUNS, {"how": "interrupted"}])
    assert read_records(backend) == [*RUNS, {"how": "interrupted"}]
    assert list(damaged_records(backend)) == []


@pytest.mark.parametrize("key", RECORDS)
@pytest.mark.parametrize("harm", [b"", b"[]", None], ids=["emptied", "without its checksum", "deleted"])
def test_one_of_the_two_is_enough_and_the_other_is_known_as_damaged(key, harm):
    backend = MemoryBackend()
    write_records(backend, RUNS)
    backend.delete([key])
    if harm is not None:
        backend.write({key: harm})
    assert read_records(backend) == RUNS
    assert list(damaged_records(backend)) == [key]
