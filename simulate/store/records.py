"""The records of the runs that wrote to a store: when, on what machine, with which versions, how each ended.

Kept twice, each with its checksum; a kill between the two leaves one of them a record behind, which is no damage.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from simulate.store.backend import OWN, StorageBackend
from simulate.store.root import digest_of

RECORDS = (f"{OWN}/runs.json", f"{OWN}/runs-copy.json")


def write_records(place: StorageBackend, records: list[dict[str, Any]]) -> None:
    """Write all records."""
    place.write(dict.fromkeys(RECORDS, written(records)))


def written(records: list[dict[str, Any]]) -> bytes:
    """Return the bytes of records: one line for them, one for their checksum."""
    body = json.dumps(records)
    return f"{body}\n{digest_of(body.encode())}\n".encode()


def read_records(place: StorageBackend) -> list[dict[str, Any]]:
    """Return the records in the order of the runs, of the first of the two that is whole; none if neither is."""
    return next((records for name in RECORDS if (records := _read(place, name)) is not None), [])


def damaged_records(place: StorageBackend) -> Iterator[str]:
    """Yield the names of the pieces that are not as they were written."""
    return (name for name in RECORDS if _read(place, name) is None)


def _read(place: StorageBackend, name: str) -> list[dict[str, Any]] | None:
    try:
        lines = place.read(name).decode(errors="replace").split("\n")
    except FileNotFoundError:
        return None
    if len(lines) != 3 or lines[2] or digest_of(lines[0].encode()) != lines[1]:
        return None
    return json.loads(lines[0])
