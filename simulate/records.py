"""The records of the runs that wrote to a store: when, on what machine, with which versions, how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from simulate.place import OWN, Place
from simulate.root import digest_of

FOLDER = f"{OWN}/runs"


def write_record(place: Place, name: str | None, record: Mapping[str, Any]) -> str:
    """Write a run's record, under a new name if ``name`` is None; return its name."""
    if name is None:
        name = _name(max(map(_number, _names(place)), default=0) + 1)
    body = json.dumps(dict(record), sort_keys=True)
    # one line for the record, one for its checksum
    place.write({name: f"{body}\n{digest_of(body.encode())}\n".encode()})
    return name


def read_records(place: Place) -> list[dict[str, Any]]:
    """Return the records in the order of the runs, without those that are damaged."""
    records = (_parse(place.read(name)) for name in _names(place))
    return [record for record in records if record is not None]


def damaged_records(place: Place) -> Iterator[str]:
    """Yield the names of records that are not as they were written, or are missing from the row."""
    names = _names(place)
    for number in range(1, max(map(_number, names), default=0) + 1):
        name = _name(number)
        if name not in names or _parse(place.read(name)) is None:
            yield name


def _names(place: Place) -> list[str]:
    return [n for n in place.names(FOLDER) if n.rpartition("/")[2].removesuffix(".json").isdecimal()]


def _name(number: int) -> str:
    return f"{FOLDER}/{number:06d}.json"


def _number(name: str) -> int:
    return int(name.rpartition("/")[2].removesuffix(".json"))


def _parse(data: bytes) -> dict[str, Any] | None:
    lines = data.decode(errors="replace").split("\n")
    if len(lines) != 3 or lines[2] or digest_of(lines[0].encode()) != lines[1]:
        return None
    return json.loads(lines[0])
