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
from lazyrich.wording import counted
from simulate.campaign.campaign import Campaign
from simulate.campaign.dynamics import Flow
from simulate.data import Data
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.tasks import Task, campaign_tasks
from simulate.store.backend import StorageBackend, StoreError, storage_errors
from simulate.store.chunk_codec import ChunkCodec
from simulate.store.costs import Cost, cost_of
from simulate.store.creation import create, exclusive_lock
from simulate.store.damage import damaged_chunks, damaged_metadata
from simulate.store.damaged_store import Damage, DamagedStoreError, damage_as_cause
from simulate.store.identity import check_description, check_same_campaign, check_same_data, stored_campaign
from simulate.store.locations import backend_for
from simulate.store.presence import check_presence
from simulate.store.records import read_records, write_records
from simulate.store.repair import repair_layout
from simulate.store.root import Root, read_root
from simulate.store.task_results import TaskResults
from simulate.store.zarr_settings import check_zarr_settings
from simulate.training.status import Status

__all__ = ["Damage", "DamagedStoreError", "Store", "StoreError", "exclusive_lock"]


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
        networks = counted(self.campaign.size, "network")
        return f"<Store {self.backend} of campaign {self.campaign.name}: {names}; {networks}>"

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
            check_same_campaign(backend, store.campaign, campaign)
        return store

    @classmethod
    def open(cls, path: str | Path | StorageBackend) -> Store:
        """Open the store at ``path``.

        Raises
        ------
        InputError
            If there is none, it is of another schema version, or zarr is told to work as it can't.
        DamagedStoreError
            If its root and the copy of it are damaged.
        """
        check_zarr_settings()
        backend = backend_for(path)
        root = read_root(backend)
        campaign = stored_campaign(backend, root)
        store = cls(backend, campaign, root)
        check_description(backend, root, campaign, store.codecs)
        return store

    def integrator(self, experiment: str) -> str:
        """Return the name of the integrator that an experiment's networks are made with."""
        return self.root.integrator(experiment)

    def campaign_with_stored_integrators(self) -> Campaign:
        """Return the campaign with the store's integrators asked for, where `auto` would choose others today."""
        experiments = []
        for experiment in self.campaign.experiment:
            stored = self.integrator(experiment.name)
            differs = isinstance(experiment.dynamics, Flow) and integrator_of(experiment) != stored
            changes = {"dynamics": Flow.model_validate({"integrator": stored})} if differs else {}
            experiments.append(experiment.model_copy(update=changes))
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

    @property
    def _results(self) -> TaskResults:
        return TaskResults(self.backend, self.codecs, self.root.attributes["digest"])

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
        self._results.write(task, result)

    def finished_networks(self, task: Task) -> np.ndarray:
        """Return which networks of a task are finished, (amplitudes, seeds of the task): some, after an extension."""
        return self._results.finished_networks(task)

    def fill_values(self, task: Task) -> xr.Dataset:
        """Return results of a task of which nothing is known: all pending, all else NaN or 0."""
        return self.codecs[task.experiment].fill_values(task)

    def mark_pending(self, *tasks: Task) -> None:
        """Forget tasks' results, so that they are computed again."""
        self._results.mark_pending(*tasks)

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
        with damage_as_cause(self.backend, self.verify):
            return cost_of(self.campaign, self.tree())

    def _statuses(self) -> dict[str, np.ndarray]:
        """Status of every network by experiment, (width, amplitude, seed)."""
        with damage_as_cause(self.backend, self.verify):
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
            raise DamagedStoreError.from_damage(self.backend, damaged)

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
            self._results.remove(task)
        return tasks

    def check_data(self, data: Mapping[str, Data]) -> None:
        """Compare data sets with those that the store was made from, by their SHA-256.

        Raises
        ------
        InputError
            For the first that is another.
        """
        check_same_data(self.backend, self.root, data)
