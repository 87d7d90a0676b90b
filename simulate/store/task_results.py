"""The results of tasks in a store: chunks written so that the status comes last, read back, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from simulate.planning.tasks import Task
from simulate.store.backend import StorageBackend, storage_errors
from simulate.store.chunk_codec import ChunkCodec
from simulate.store.commits import CommitRecord
from simulate.store.damaged_store import Damage, DamagedStoreError
from simulate.training.status import Status


@dataclass(frozen=True)
class TaskResults:
    """The chunks of all tasks; ``codecs`` are those of each experiment, ``campaign`` is the digest of the campaign."""

    backend: StorageBackend
    codecs: Mapping[str, ChunkCodec]
    campaign: str

    def write(self, task: Task, result: xr.Dataset) -> None:
        """Write a task's results, the status last; networks that are finished already stay as they are.

        Raises
        ------
        StoreError
            If the storage fails; the task then stays pending.
        """
        codec, record = self.codecs[task.experiment], self._commit_record(task)
        finished = self.finished_networks(task)
        values = {name: result[name].values for name in codec.variables}
        replaced: list[dict[str, bytes]] = []
        if finished.any():
            stored = {name: self.backend.read(codec.key(task, name)) for name in codec.variables}
            replaced = [{codec.key(task, name): chunk for name, chunk in stored.items()}]
            for name, new in values.items():
                old = codec.decode(task, name, stored[name])
                values[name] = np.where(finished.reshape(1, *finished.shape, *[1] * (new.ndim - 3)), old, new)
        chunks = {codec.key(task, name): codec.encode(task, name, values[name]) for name in codec.variables}
        status = codec.key(task, "status")
        with storage_errors(self.backend):
            if replaced:  # chunks are of either kind until all are written
                self.backend.write({record.key: record.bytes_of(*replaced, chunks)})
            data = {key: chunk for key, chunk in chunks.items() if key != status}
            self.backend.write(data if replaced else {**data, record.key: record.bytes_of(chunks)})
            self.backend.write({status: chunks[status]})
            if replaced:
                self.backend.write({record.key: record.bytes_of(chunks)})

    def finished_networks(self, task: Task) -> np.ndarray:
        """Return which networks of a task are finished, (amplitudes, seeds of the task)."""
        codec = self.codecs[task.experiment]
        key = codec.key(task, "status")
        try:
            with storage_errors(self.backend):
                chunk = self.backend.read(key) if self.backend.exists(key) else None
            if chunk is not None:
                return codec.decode(task, "status", chunk) != Status.PENDING
        except (ValueError, RuntimeError) as error:
            damage = [Damage(key, "can't be decoded", task)]
            raise DamagedStoreError.from_damage(self.backend, damage) from error
        return np.zeros((codec.shape[1], task.seed_count), dtype=bool)

    def mark_pending(self, *tasks: Task) -> None:
        """Forget tasks' results, so that they are computed again."""
        codecs = [self.codecs[task.experiment] for task in tasks]
        pending = {c.key(task, "status"): c.pending(task) for c, task in zip(codecs, tasks, strict=True)}
        with storage_errors(self.backend):
            self.backend.write(pending)
            self.backend.delete(self._commit_record(task).key for task in tasks)

    def remove(self, task: Task) -> None:
        """Mark a task pending and delete what is left of its results."""
        codec = self.codecs[task.experiment]
        chunks = [codec.key(task, name) for name in codec.variables]
        with storage_errors(self.backend):
            self.backend.remove_obstructions([*chunks, self._commit_record(task).key])
            self.mark_pending(task)
            self.backend.delete(key for key in chunks if key != codec.key(task, "status"))

    def _commit_record(self, task: Task) -> CommitRecord:
        return CommitRecord(self.codecs[task.experiment].key(task, "status"), self.campaign)
