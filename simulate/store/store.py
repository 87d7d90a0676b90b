"""The store: one Zarr v3 hierarchy, a group per experiment, written once in layout and then task by task.

What it promises: a network whose ``status`` is not "pending" is on disk and whole. A task owns whole chunks; its data
are written and flushed to the disk before its status, which is the commit mark. Only the process that holds the lock
writes. The store opens with ``xarray.open_datatree(path, engine="zarr")`` at any moment, also while a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from lazyrich import html
from lazyrich.errors import ExpectedError, InputError
from simulate.campaign.campaign import Campaign
from simulate.campaign.dynamics import Flow
from simulate.data import Data
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.tasks import Task, campaign_tasks
from simulate.store.backend import StorageBackend, StoreError, backend_for, storage_errors
from simulate.store.chunk_codec import ChunkCodec
from simulate.store.commits import CommitRecord
from simulate.store.costs import Cost, cost_of
from simulate.store.creation import create, exclusive_lock
from simulate.store.damage import Damage, damaged_chunks, damaged_metadata, damaged_store
from simulate.store.differences import first_difference
from simulate.store.presence import check_presence
from simulate.store.records import read_records, write_records
from simulate.store.repair import repair_layout
from simulate.store.root import DamagedStoreError, Root, read_root
from simulate.training.status import Status

__all__ = ["Damage", "DamagedStoreError", "Store", "StoreError", "exclusive_lock"]

_REMEDY_NEW = "Give another path with --out, or the store's own campaign (more seeds, widths or amplitudes: --extend)"

_REMEDY_ROOT = "Restore zarr.json from a backup"


class Store:
    """A store in a folder or on object storage.

    Use `create` or `open`; both return a store whose campaign is known and whose layout is complete. ``path`` is what
    it was opened by: a path, or the URL of object storage.
    """

    def __init__(self, backend: StorageBackend, campaign: Campaign, root: Root) -> None:
        self.backend = backend
        self.campaign = campaign
        self.root = root
        self.path = backend.zarr_store()

    def __repr__(self) -> str:
        experiments = ", ".join(e.name for e in self.campaign.experiment[:6])
        more = len(self.campaign.experiment) - 6
        names = f"{experiments} and {more} more" if more > 0 else experiments
        return f"<Store {self.backend} of campaign {self.campaign.name}: {names}; {self.campaign.size} networks>"

    def _repr_html_(self) -> str:
        rows = [(e.name, e.size) for e in self.campaign.experiment]
        return html.table(rows, ("experiment", "networks"), f"Store {self.backend} of campaign {self.campaign.name}")

    # -- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: str | Path | StorageBackend, campaign: Campaign, data: Mapping[str, Data], device: str
    ) -> Store:
        """Lay out an empty store at ``path``, or open the one of the same campaign that is there.

        A store whose making was interrupted is laid out anew.

        Raises
        ------
        InputError
            If the path can't be written, or holds something else or another campaign's store.
        """
        backend = backend_for(path)
        new = create(backend, campaign, data, device)
        store = cls.open(backend)
        if not new:
            store._check_same(campaign)
        return store

    @classmethod
    def open(cls, path: str | Path | StorageBackend) -> Store:
        """Open the store at ``path``.

        Raises
        ------
        InputError
            If there is none, or it is of another schema version.
        DamagedStoreError
            If its root and the copy of it are damaged.
        """
        backend = backend_for(path)
        root = read_root(backend)
        try:
            campaign = Campaign.from_dict(root.attributes["campaign"])
        except InputError as error:
            problem = f"its campaign can't be read ({error})"
            raise DamagedStoreError("store", str(backend), problem, _REMEDY_ROOT) from None
        store = cls(backend, campaign, root)
        store._check_description()
        return store

    def _check_description(self) -> None:
        """Check that the root describes arrays of the campaign's shapes."""
        try:
            for experiment in self.campaign.experiment:
                shape = (len(experiment.widths), len(experiment.amplitudes), experiment.seeds)
                described = self.codecs[experiment.name].shape
                if described != shape or experiment.name not in self.root.attributes["data"]:
                    raise ValueError(f"{experiment.name} has networks {described}, not {shape}")
                if not isinstance(self.integrator(experiment.name), str):
                    raise TypeError(f"no integrator of {experiment.name}")
        except Exception as error:  # whatever zarr says of what is described as an array and is none
            reason = (str(error) or repr(error)).splitlines()[0][:100]
            problem = f"its zarr.json does not describe its campaign ({reason})"
            raise DamagedStoreError("store", str(self.backend), problem, _REMEDY_ROOT) from error

    def _check_same(self, campaign: Campaign) -> None:
        difference = first_difference(self.campaign.to_dict(), campaign.to_dict())
        if difference is not None:
            field, old, new = difference
            raise InputError(field, new, f"the store {self.backend} was made with {old!r}", _REMEDY_NEW)

    def integrator(self, experiment: str) -> str:
        """Return the name of the integrator that an experiment's networks are made with."""
        return self.root.members[experiment]["attributes"]["integrator"]

    def campaign_with_stored_integrators(self) -> Campaign:
        """Return the campaign with the store's integrators asked for, where `auto` would choose others today."""
        experiments = []
        for experiment in self.campaign.experiment:
            stored = self.integrator(experiment.name)
            differs = isinstance(experiment.dynamics, Flow) and integrator_of(experiment) != stored
            asked = {"dynamics": Flow.model_validate({"integrator": stored})} if differs else {}
            experiments.append(experiment.model_copy(update=asked))
        return self.campaign.model_copy(update={"experiment": tuple(experiments)})

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the store for one run.

        Raises
        ------
        StoreError
            If another run holds it.
        """
        with self.backend.lock():
            yield

    # -- writing and reading ---------------------------------------------------------------------------------------

    @cached_property
    def codecs(self) -> dict[str, ChunkCodec]:
        """The chunk codec of each experiment."""
        listed = self.root.attributes["manifest"]
        return {e.name: ChunkCodec(e.name, self.root.members, listed) for e in self.campaign.experiment}

    def tasks(self) -> tuple[Task, ...]:
        """All tasks in scheduling order, cut as the store's chunks are."""
        return campaign_tasks(self.campaign, {name: codec.seeds_per_task for name, codec in self.codecs.items()})

    def write(self, task: Task, result: xr.Dataset) -> None:
        """Write a task's results (as `simulate.measure.engine.run_task` returns them), the status last.

        Networks that the store has finished already stay as they are.

        Raises
        ------
        StoreError
            If the storage fails; the task then stays pending.
        """
        codec = self.codecs[task.experiment]
        record = self._commit_record(task)
        finished = self.finished_networks(task)
        values = {name: result[name].values for name in codec.variables}
        earlier: list[dict[str, bytes]] = []
        if finished.any():
            stored = {name: self.backend.read(codec.key(task, name)) for name in codec.variables}
            earlier = [{codec.key(task, name): chunk for name, chunk in stored.items()}]
            for name, new in values.items():
                old = codec.decode(task, name, stored[name])
                values[name] = np.where(finished.reshape(1, *finished.shape, *[1] * (new.ndim - 3)), old, new)
        chunks = {codec.key(task, name): codec.encode(task, name, values[name]) for name in codec.variables}
        status = codec.key(task, "status")
        with storage_errors(self.backend):
            if earlier:  # chunks are of either kind until all are written
                self.backend.write({record.key: record.bytes_of(*earlier, chunks)})
            data = {key: chunk for key, chunk in chunks.items() if key != status}
            self.backend.write(data if earlier else {**data, record.key: record.bytes_of(chunks)})
            self.backend.write({status: chunks[status]})
            if earlier:
                self.backend.write({record.key: record.bytes_of(chunks)})

    def _commit_record(self, task: Task) -> CommitRecord:
        return CommitRecord(self.codecs[task.experiment].key(task, "status"), self.root.attributes["digest"])

    def finished_networks(self, task: Task) -> np.ndarray:
        """Return which networks of a task are finished, (amplitudes, seeds of the task): some, after an extension."""
        codec = self.codecs[task.experiment]
        key = codec.key(task, "status")
        try:
            with storage_errors(self.backend):
                chunk = self.backend.read(key) if self.backend.exists(key) else None
            if chunk is not None:
                return codec.decode(task, "status", chunk) != Status.PENDING
        except (ValueError, RuntimeError) as error:
            raise damaged_store(self.backend, [Damage(key, "can't be decoded", task)]) from error
        shape = (len(self.campaign.find(task.experiment).amplitudes), task.seed_stop - task.seed_start)
        return np.zeros(shape, dtype=bool)

    def fill_values(self, task: Task) -> xr.Dataset:
        """Return results of a task of which nothing is known: all pending, all else NaN or 0."""
        return self.codecs[task.experiment].fill_values(task)

    def mark_pending(self, *tasks: Task) -> None:
        """Forget tasks' results, so that they are computed again."""
        pending = {
            self.codecs[task.experiment].key(task, "status"): self.codecs[task.experiment].pending(task)
            for task in tasks
        }
        with storage_errors(self.backend):
            self.backend.write(pending)
            self.backend.delete(self._commit_record(task).key for task in tasks)

    def record(self, run: Mapping[str, Any], *, replace_last: bool = False) -> None:
        """Keep the record of a run, after those that are there or in place of the last of them."""
        with storage_errors(self.backend):
            records = self.records()
            write_records(self.backend, [*(records[:-1] if replace_last else records), dict(run)])

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the runs that wrote to this store, in order."""
        return read_records(self.backend)

    @property
    def was_extended(self) -> bool:
        """Whether finished networks were taken over from a smaller store: then tasks can be finished in part."""
        return any("extended_from" in record for record in self.records())

    def pending(self) -> tuple[Task, ...]:
        """Return the tasks that are not finished, in scheduling order."""
        status = self._statuses()

        def unfinished(task: Task) -> bool:
            return (status[task.experiment][task.index, :, task.seed_start : task.seed_stop] == Status.PENDING).any()

        return tuple(task for task in self.tasks() if unfinished(task))

    def counts(self) -> dict[str, dict[Status, int]]:
        """Return how many networks of each experiment ended how."""
        counted = {}
        for name, status in self._statuses().items():
            values, numbers = np.unique(status, return_counts=True)
            counted[name] = {Status(int(v)): int(n) for v, n in zip(values, numbers, strict=True)}
        return counted

    def cost(self) -> Cost:
        """What the finished networks have cost: gradients, operations by the cost model, time as it was measured."""
        with self.naming_damage():
            return cost_of(self.campaign, self.tree())

    def _statuses(self) -> dict[str, np.ndarray]:
        """Status of every network by experiment, (width, amplitude, seed)."""
        with self.naming_damage():
            tree = self.tree()  # opened once: it describes all experiments, a second's work where there are many
            statuses = {e.name: tree[e.name].to_dataset()["status"].values for e in self.campaign.experiment}
            for status in statuses.values():
                if not np.isin(status, list(Status)).all():
                    raise ValueError("a status that there is not")
        with storage_errors(self.backend):
            check_presence(self.backend, self.root, statuses)
        return statuses

    def check_presence(self) -> None:
        """Check that the results of finished networks are there, without reading them.

        Raises
        ------
        DamagedStoreError
            Naming the first that is not.
        """
        self._statuses()

    def tree(self) -> xr.DataTree:
        """Open the store with xarray, lazily."""
        return xr.open_datatree(self.backend.zarr_store(), engine="zarr", chunks=None)

    # -- damage ----------------------------------------------------------------------------------------------------

    @contextmanager
    def naming_damage(self) -> Iterator[None]:
        """Say which part of this store is damaged, if that is why what is done inside failed.

        Raises
        ------
        DamagedStoreError
            Naming the first damage; an exception that has another cause travels on.
        """
        try:
            yield
        except ExpectedError:
            raise
        except Exception as error:
            damaged = self.verify()
            if not damaged:
                raise
            raise damaged_store(self.backend, damaged) from error

    def verify(self) -> list[Damage]:
        """Read everything that should be there and list what is not as it was written."""
        with storage_errors(self.backend):
            return [
                *damaged_metadata(self.backend, self.root),
                *damaged_chunks(self.backend, self.root, self.codecs, self.tasks()),
            ]

    def check_layout(self) -> None:
        """Look at metadata and coordinates alone.

        Raises
        ------
        DamagedStoreError
            Naming the first damage, if there is any.
        """
        with storage_errors(self.backend):
            damaged = list(damaged_metadata(self.backend, self.root))
        if damaged:
            raise damaged_store(self.backend, damaged)

    def repair(self, data: Mapping[str, Data]) -> tuple[Task, ...]:
        """Write damaged metadata and coordinates anew and mark damaged tasks pending; return those tasks.

        Hold the lock. ``data`` are the data sets by experiment; they are used for coordinates only.

        Raises
        ------
        InputError
            If the data set is not the one that the store was made from.
        """
        damaged = self.verify()
        tasks = tuple(dict.fromkeys(d.task for d in damaged if d.task is not None))
        layout = [d.path for d in damaged if d.task is None]
        if layout:
            self.check_data(data)
        with storage_errors(self.backend):
            self.backend.remove_obstructions(d.path for d in damaged)
            self.root = repair_layout(self.backend, self.root, self.campaign, layout, data)
        for task in tasks:
            self._clear(task)
        return tasks

    def _clear(self, task: Task) -> None:
        """Mark a task pending and delete what is left of its results."""
        codec = self.codecs[task.experiment]
        chunks = [codec.key(task, name) for name in codec.variables]
        with storage_errors(self.backend):
            self.backend.remove_obstructions([*chunks, self._commit_record(task).key])
            self.mark_pending(task)
            self.backend.delete(key for key in chunks if key != codec.key(task, "status"))

    def check_data(self, data: Mapping[str, Data]) -> None:
        """Compare data sets with those that the store was made from, by their SHA-256.

        Raises
        ------
        InputError
            For the first that is another.
        """
        for name in data:
            made_from = self.root.attributes["data"][name]
            if data[name].sha256 != made_from["sha256"]:
                raise InputError(
                    "dataset",
                    made_from["name"],
                    f"experiment {name} of {self.backend} was made from other data (SHA-256 "
                    f"{made_from['sha256'][:12]}…, not {data[name].sha256[:12]}…)",
                    "Point --data-root at the data that it was made from",
                )
