"""The records of the runs that wrote to a store: when, on what machine, with which versions, how each ended.

Kept twice, each with its checksum; a kill between the two leaves one of them a record behind, which is no damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulate.store.backend import BOOKKEEPING, StorageBackend, read_if_present
from simulate.store.checked_json import dump_checked, load_checked

RECORDS = (f"{BOOKKEEPING}/runs.json", f"{BOOKKEEPING}/runs-copy.json")


def write_records(backend: StorageBackend, records: list[dict[str, Any]]) -> None:
    """Write all records."""
    backend.write(dict.fromkeys(RECORDS, dump_checked(records)))


def read_records(backend: StorageBackend) -> list[dict[str, Any]]:
    """Return the records in the order of the runs, of the first of the two that is whole; none if neither is."""
    return next((records for key in RECORDS if (records := _read(backend, key)) is not None), [])


def damaged_records(backend: StorageBackend) -> Iterator[str]:
    """Yield the keys of those of the two that are not as they were written."""
    return (key for key in RECORDS if backend.obstruction(key) or _read(backend, key) is None)


def _read(backend: StorageBackend, key: str) -> list[dict[str, Any]] | None:
    data = read_if_present(backend, key)
    records = load_checked(data) if data is not None else None
    of_its_kind = isinstance(records, list) and all(isinstance(record, dict) for record in records)
    return records if of_its_kind else None
