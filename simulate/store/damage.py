"""What in a store is not as it was written: every description, every coordinate, every chunk is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulate.planning.tasks import Task
from simulate.store.backend import StorageBackend, read_if_present
from simulate.store.checked_json import digest_of, load_json
from simulate.store.chunk_codec import ChunkCodec, is_whole
from simulate.store.commits import CommitRecord
from simulate.store.damaged_store import Damage
from simulate.store.records import damaged_records
from simulate.store.root import COPY, ROOT, Root
from simulate.training.status import Status

_CHANGED = "is not as it was written"
_MISSING = "is missing"


def damaged_metadata(backend: StorageBackend, root: Root) -> Iterator[Damage]:
    """Look at the root, its copy, the metadata of groups and arrays, the coordinates and the records of runs."""
    has_copies = root.attributes["schema_version"] > 1
    for key in (ROOT, COPY) if has_copies else (ROOT,):
        obstruction = backend.obstruction(key)
        if obstruction or (key == ROOT and not root.sound):
            yield Damage(key, obstruction or (_CHANGED if backend.exists(key) else _MISSING))
        elif key == COPY and root.sound and (copy := read_if_present(backend, COPY)) != read_if_present(backend, ROOT):
            yield Damage(COPY, _MISSING if copy is None else _CHANGED)
    for key, digest in root.attributes["manifest"].items():
        data = read_if_present(backend, key)
        if obstruction := backend.obstruction(key):
            yield Damage(key, obstruction)
        elif data is None:
            yield Damage(key, _MISSING)
        elif digest_of(data) != digest:
            yield Damage(key, _CHANGED)
        elif key.endswith("zarr.json") and _disagrees(root, key.removesuffix("/zarr.json"), data):
            yield Damage(ROOT, f"its copy of {key} {_CHANGED}")
    if has_copies:
        for key in damaged_records(backend):
            yield Damage(key, backend.obstruction(key) or _CHANGED)


def damaged_chunks(
    backend: StorageBackend, root: Root, codecs: Mapping[str, ChunkCodec], tasks: tuple[Task, ...]
) -> Iterator[Damage]:
    """Look at the chunks of all tasks."""
    for task in tasks:
        yield from _damaged_task(backend, root, codecs[task.experiment], task)


def _damaged_task(backend: StorageBackend, root: Root, codec: ChunkCodec, task: Task) -> Iterator[Damage]:
    status_key = codec.key(task, "status")
    status, problem = _chunk(backend, codec, task, "status")
    pending_is_written = root.attributes["schema_version"] > 1
    finished = status is not None and not (codec.decode(task, "status", status) == Status.PENDING).all()
    record = CommitRecord(status_key, root.attributes["digest"])
    digests: Mapping[str, list[str]] | None = None
    try:
        digests = record.read(backend)
        if digests is None and finished and root.has_commit_records:
            yield Damage(record.key, f"{_MISSING} although its task is finished", task)
        elif obstruction := backend.obstruction(record.key):  # a link to a record that is whole
            yield Damage(record.key, obstruction, task)
    except ValueError as error:
        yield Damage(record.key, str(error), task)

    def replaced(key: str, chunk: bytes) -> bool:
        # a task that is pending has a record only if it was killed between the two
        return finished and digests is not None and digest_of(chunk) not in digests.get(key, [])

    if problem is not None:
        yield Damage(status_key, problem, task)
    elif status is None and pending_is_written:
        yield Damage(status_key, _MISSING, task)
    elif status is not None and replaced(status_key, status):
        yield Damage(status_key, _REPLACED, task)
    for variable in codec.variables:
        if variable == "status":
            continue
        key = codec.key(task, variable)
        # what an unfinished task has left need not be there, but it must not stop others from reading
        chunk, problem = _chunk(backend, codec, task, variable)
        if problem is not None:
            yield Damage(key, problem, task)
        elif chunk is None and finished:
            yield Damage(key, f"{_MISSING} although its task is finished", task)
        elif chunk is not None and replaced(key, chunk):
            yield Damage(key, _REPLACED, task)


_REPLACED = "is whole, but is not the chunk that was committed"


def _chunk(backend: StorageBackend, codec: ChunkCodec, task: Task, variable: str) -> tuple[bytes | None, str | None]:
    """Return the bytes of a chunk that can be decoded, and what is the matter with one that can't be."""
    key = codec.key(task, variable)
    if obstruction := backend.obstruction(key):
        return None, obstruction
    chunk = read_if_present(backend, key)
    if chunk is None:
        return None, None
    if not is_whole(chunk):
        return None, "can't be decoded (checksum)"
    try:
        codec.decode(task, variable, chunk)
    except (ValueError, RuntimeError, MemoryError):  # whole, and of another shape
        return None, "can't be decoded (it is a chunk of another shape)"
    return chunk, None


def _disagrees(root: Root, member: str, data: bytes) -> bool:
    consolidated, description = root.members.get(member), load_json(data)
    if consolidated is None or not isinstance(description, dict):
        return True
    return any(consolidated.get(name) != value for name, value in description.items())
