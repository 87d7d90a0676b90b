"""What in a store is not as it was written: every piece of metadata, every coordinate, every chunk is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulate.planning.tasks import Task
from simulate.store.backend import StorageBackend
from simulate.store.chunk_codec import ChunkCodec, is_whole
from simulate.store.records import damaged_records
from simulate.store.root import COPY, ROOT, Root, digest_of
from simulate.training.status import Status

_CHANGED = "is not as it was written"
_MISSING = "is missing"


@dataclass(frozen=True)
class Damage:
    """Something in a store that is not as it was written; ``task`` says whose results are lost, if any are."""

    path: str
    problem: str
    task: Task | None = None


def damaged_metadata(place: StorageBackend, root: Root) -> Iterator[Damage]:
    """Look at the root, its copy, the metadata of groups and arrays, the coordinates and the records of runs."""
    if not root.sound:
        yield Damage(ROOT, _CHANGED if place.exists(ROOT) else _MISSING)
    elif root.attributes["schema_version"] > 1:
        copy = _read(place, COPY)
        if copy != place.read(ROOT):
            yield Damage(COPY, _MISSING if copy is None else _CHANGED)
    for name, digest in root.attributes["manifest"].items():
        data = _read(place, name)
        if data is None:
            yield Damage(name, _MISSING)
        elif digest_of(data) != digest:
            yield Damage(name, _CHANGED)
        elif name.endswith("zarr.json") and _disagrees(root, name.removesuffix("/zarr.json"), data):
            yield Damage(ROOT, f"its copy of {name} {_CHANGED}")
    if root.attributes["schema_version"] > 1:
        for name in damaged_records(place):
            yield Damage(name, _CHANGED)


def damaged_chunks(
    place: StorageBackend, root: Root, blocks: Mapping[str, ChunkCodec], tasks: tuple[Task, ...]
) -> Iterator[Damage]:
    """Look at the chunks of all tasks."""
    pending_is_written = root.attributes["schema_version"] > 1
    for task in tasks:
        of = blocks[task.experiment]
        name = of.piece(task, "status")
        chunk = _read(place, name)
        # what an unfinished task has left need not be there, but it must not stop others from reading
        done = False
        if chunk is None and pending_is_written:
            yield Damage(name, _MISSING, task)
        elif chunk is not None and not is_whole(chunk):
            yield Damage(name, "can't be decoded (checksum)", task)
        elif chunk is not None:
            try:
                done = not (of.decode(task, "status", chunk) == Status.PENDING).all()
            except Exception as error:  # a whole chunk that is another's: whatever zarr raises on it
                yield Damage(name, f"can't be decoded ({type(error).__name__})", task)
        for variable in of.names:
            if variable == "status":
                continue
            name = of.piece(task, variable)
            chunk = _read(place, name)
            if chunk is None and done:
                yield Damage(name, f"{_MISSING} although its task is finished", task)
            elif chunk is not None and not is_whole(chunk):
                yield Damage(name, "can't be decoded (checksum)", task)


def _read(place: StorageBackend, name: str) -> bytes | None:
    try:
        return place.read(name)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _disagrees(root: Root, member: str, data: bytes) -> bool:
    consolidated = root.members.get(member)
    return consolidated is None or any(consolidated.get(k) != v for k, v in json.loads(data).items())
