"""The store: one Zarr v3 hierarchy, a group per experiment, written once in layout and then task by task.

What it promises: a network whose ``status`` is not "pending" is on disk and whole. A task owns whole chunks; its data
are written and flushed to the disk before its status, which is the commit mark. Only the process that holds the lock
writes. The store opens with ``xarray.open_datatree(path, engine="zarr")`` at any moment, also while a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from lazyrich.errors import InputError
from simulate.campaign.campaign import Campaign
from simulate.campaign.dynamics import Flow
from simulate.data import Data
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.operations import operations
from simulate.planning.tasks import Task, campaign_tasks
from simulate.store.backend import StorageBackend, StoreError, backend_for, storage
from simulate.store.chunk_codec import ChunkCodec
from simulate.store.damage import Damage, damaged_chunks, damaged_metadata
from simulate.store.layout import description, lay_out
from simulate.store.provenance import origin
from simulate.store.records import RECORDS, read_records, write_records, written
from simulate.store.root import COPY, CREATING, ROOT, Root, digest_of, read_root, sealed
from simulate.training.status import Status

__all__ = ["Damage", "Store", "StoreError", "claimed", "reading"]

_REMEDY_NEW = "Give another path with --out, or the store's own campaign (more seeds, widths or amplitudes: --extend)"


@dataclass(frozen=True)
class Cost:
    """Passes forward and back over the training set, floating point operations (estimated), seconds of workers."""

    gradient_evaluations: int
    flops: float
    seconds: float


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Say which part of a store is damaged, if that is why reading it failed.

    Raises
    ------
    InputError
        Naming the first damaged piece; an exception that has another cause travels on.
    """
    try:
        yield
    except InputError:
        raise
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        place = backend_for(path)
        if not (place.exists(ROOT) or place.exists(COPY)):
            raise
        damaged = Store.open(path).verify()
        if not damaged:
            raise
        raise _damaged(place, damaged) from error


@contextmanager
def claimed(path: str | Path) -> Iterator[None]:
    """Hold a path for one run, whether or not there is a store yet; folders above it are made.

    Raises
    ------
    InputError
        If the path can't be made.
    StoreError
        If another run holds it.
    """
    place = backend_for(path)
    with _writable(place):
        place.prepare()
    with place.lock():
        yield


@contextmanager
def _writable(place: StorageBackend) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError("out", str(place), f"can't be written ({reason})", "Give a path that can be written") from None


class Store:
    """A store in a folder or on object storage.

    Use `create` or `open`; both return a store whose campaign is known and whose layout is complete. ``path`` is what
    it was opened by: a path, or the URL of object storage.
    """

    def __init__(self, place: StorageBackend, campaign: Campaign, root: Root) -> None:
        self.place = place
        self.campaign = campaign
        self.root = root
        self.path = place.zarr()

    # -- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | Path, campaign: Campaign, data: Mapping[str, Data], device: str) -> Store:
        """Lay out an empty store at ``path``, or open the one of the same campaign that is there.

        A store whose making was interrupted is laid out anew.

        Raises
        ------
        InputError
            If the path can't be written, or holds something else or another campaign's store.
        """
        place = backend_for(path)
        with _writable(place):
            begun = place.exists(CREATING)
            unfinished = begun and not place.exists(ROOT)
            new = unfinished or place.is_empty()
            if unfinished:
                place.delete(place.names())
            if new:
                _lay_out(place, campaign, data, device)
            elif begun:
                place.delete([CREATING])
        store = cls.open(path)
        if not new:
            store._check_same(campaign)
        return store

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open the store at ``path``.

        Raises
        ------
        InputError
            If there is none, or it is of another schema version.
        """
        place = backend_for(path)
        root = read_root(place)
        try:
            campaign = Campaign.from_dict(root.attributes["campaign"])
        except InputError as error:
            raise InputError("store", str(path), f"its campaign can't be read ({error})", "Restore it") from None
        return cls(place, campaign, root)

    def _check_same(self, campaign: Campaign) -> None:
        difference = first_difference(self.campaign.to_dict(), campaign.to_dict())
        if difference is not None:
            field, old, new = difference
            raise InputError(field, new, f"the store {self.place} was made with {old!r}", _REMEDY_NEW)

    def integrator(self, experiment: str) -> str:
        """Return the name of the integrator that an experiment's networks are made with."""
        return self.root.members[experiment]["attributes"]["integrator"]

    def as_made(self) -> Campaign:
        """Return the campaign with the store's integrators asked for, where `auto` would choose others today."""
        experiments = []
        for one in self.campaign.experiment:
            made = self.integrator(one.name)
            other = isinstance(one.dynamics, Flow) and integrator_of(one) != made
            asked = {"dynamics": Flow.model_validate({"integrator": made})} if other else {}
            experiments.append(one.model_copy(update=asked))
        return self.campaign.model_copy(update={"experiment": tuple(experiments)})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store for one run.

        Raises
        ------
        StoreError
            If another run holds it.
        """
        with self.place.lock():
            yield

    # -- writing and reading ---------------------------------------------------------------------------------------

    @cached_property
    def _blocks(self) -> dict[str, ChunkCodec]:
        listed = self.root.attributes["manifest"]
        return {e.name: ChunkCodec(e.name, self.root.members, listed) for e in self.campaign.experiment}

    def tasks(self) -> tuple[Task, ...]:
        """All tasks in scheduling order, cut as the store's chunks are."""
        return campaign_tasks(self.campaign, {name: blocks.seeds_per_task for name, blocks in self._blocks.items()})

    def write(self, task: Task, result: xr.Dataset) -> None:
        """Write a task's results (as `simulate.measure.engine.run_task` returns them), the status last.

        Networks that the store has finished already stay as they are.

        Raises
        ------
        StoreError
            If the storage fails; the task then stays pending.
        """
        blocks = self._blocks[task.experiment]
        finished = self.finished(task)
        values = {name: result[name].values for name in blocks.names}
        if finished.any():
            for name, new in values.items():
                old = blocks.decode(task, name, self.place.read(blocks.piece(task, name)))
                values[name] = np.where(finished.reshape(1, *finished.shape, *[1] * (new.ndim - 3)), old, new)
        pieces = {blocks.piece(task, name): blocks.encode(task, name, values[name]) for name in blocks.names}
        status = blocks.piece(task, "status")
        with storage(self.place):
            self.place.write({name: piece for name, piece in pieces.items() if name != status})
            self.place.write({status: pieces[status]})

    def finished(self, task: Task) -> np.ndarray:
        """Return which networks of a task are finished, (amplitudes, seeds of the task): some, after an extension."""
        blocks = self._blocks[task.experiment]
        name = blocks.piece(task, "status")
        try:
            with storage(self.place):
                chunk = self.place.read(name) if self.place.exists(name) else None
            if chunk is not None:
                return blocks.decode(task, "status", chunk) != Status.PENDING
        except (ValueError, RuntimeError) as error:
            raise _damaged(self.place, [Damage(name, "can't be decoded", task)]) from error
        shape = (len(self.campaign.find(task.experiment).amplitudes), task.seed_stop - task.seed_start)
        return np.zeros(shape, dtype=bool)

    def unknown(self, task: Task) -> xr.Dataset:
        """Return results of a task of which nothing is known: all pending, all else NaN or 0."""
        return self._blocks[task.experiment].unknown(task)

    def mark_pending(self, *tasks: Task) -> None:
        """Forget tasks' results, so that they are computed again."""
        pieces = {}
        for task in tasks:
            blocks = self._blocks[task.experiment]
            shape = (1, len(self.campaign.find(task.experiment).amplitudes), task.seed_stop - task.seed_start)
            pieces[blocks.piece(task, "status")] = blocks.encode(task, "status", np.full(shape, Status.PENDING, "int8"))
        with storage(self.place):
            self.place.write(pieces)

    def record(self, run: Mapping[str, Any], *, again: bool = False) -> None:
        """Keep the record of a run; ``again`` writes the last one anew."""
        with storage(self.place):
            before = self.records()
            write_records(self.place, [*(before[:-1] if again else before), dict(run)])

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the runs that wrote to this store, in order."""
        return read_records(self.place)

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
        gradients, flops, seconds = 0, 0.0, 0.0
        with reading(self.path):
            tree = self.tree()
            for experiment in self.campaign.experiment:
                data = tree[experiment.name].to_dataset()
                done = data["status"] != Status.PENDING
                gradients += int(data["gradient_evaluations"].where(done, 0).sum())
                networks = done.sum(["seed", experiment.amplitude]).values
                flops += sum(n * operations(experiment, h) for n, h in zip(networks, experiment.widths, strict=True))
                seconds += float(data["wall_time"].where(done, 0.0).sum())
        return Cost(gradients, float(flops), seconds)

    def _statuses(self) -> dict[str, np.ndarray]:
        """Status of every network by experiment, (width, amplitude, seed)."""
        with reading(self.path):
            tree = self.tree()  # opened once: it describes all experiments, a second's work where there are many
            return {e.name: tree[e.name].to_dataset()["status"].values for e in self.campaign.experiment}

    def tree(self) -> xr.DataTree:
        """Open the store with xarray, lazily."""
        return xr.open_datatree(self.path, engine="zarr")

    # -- damage ----------------------------------------------------------------------------------------------------

    def verify(self) -> list[Damage]:
        """Read everything that should be there and list what is not as it was written."""
        with storage(self.place):
            return [
                *damaged_metadata(self.place, self.root),
                *damaged_chunks(self.place, self.root, self._blocks, self.tasks()),
            ]

    def check_layout(self) -> None:
        """Look at metadata and coordinates alone.

        Raises
        ------
        InputError
            Naming the first damaged piece, if there is any.
        """
        damaged = list(damaged_metadata(self.place, self.root))
        if damaged:
            raise _damaged(self.place, damaged)

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
        with storage(self.place):
            self._repair_layout([d.path for d in damaged if d.task is None], data)
            self.mark_pending(*tasks)
            for task in tasks:
                blocks = self._blocks[task.experiment]
                self.place.delete(blocks.piece(task, name) for name in blocks.names if name != "status")
        return tasks

    def _repair_layout(self, damaged: list[str], data: Mapping[str, Data]) -> None:
        if not damaged:
            return
        self.check_data(data)
        if any(name in RECORDS for name in damaged):
            write_records(self.place, self.records())
        manifest = self.root.attributes["manifest"]
        broken = [name for name in damaged if name in manifest]
        fresh = lay_out(self.campaign, data, self.root.attributes)
        # descriptions from the root's own copy: the schema may have got new variables since
        for name in broken:
            member = name.removesuffix("/zarr.json")
            if member != name:
                fresh[name] = description(self.root.members[member])
        self.place.write({name: fresh[name] for name in broken})
        manifest.update({name: digest_of(fresh[name]) for name in broken})
        root = sealed(self.root.document)
        self.place.write({COPY: root, ROOT: root})
        self.root = read_root(self.place)

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
                    f"experiment {name} of {self.place} was made from other data (SHA-256 {made_from['sha256'][:12]}…, "
                    f"not {data[name].sha256[:12]}…)",
                    "Point --data-root at the data that it was made from",
                )


def _lay_out(place: StorageBackend, campaign: Campaign, data: Mapping[str, Data], device: str) -> None:
    """Write a new store: a mark first and the root last, so that one that was interrupted is known for what it is."""
    pieces = lay_out(campaign, data, origin(campaign, data, device))
    root = pieces.pop(ROOT)
    place.write({CREATING: campaign.digest.encode()})
    place.write({**pieces, **dict.fromkeys(RECORDS, written([]))})
    place.write({COPY: root})
    place.write({ROOT: root})
    place.delete([CREATING])


def _damaged(place: StorageBackend, damaged: list[Damage]) -> InputError:
    first = f"{len(damaged)} damaged pieces, the first: {damaged[0].path} {damaged[0].problem}"
    remedy = f"Run python -m simulate repair {place}, which makes only these again"
    return InputError("store", str(place), first, remedy)


def first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            found = first_difference(old.get(key), new.get(key), f"{path}.{key}" if path else key)
            if found is not None:
                return found
        return None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            found = first_difference(a, b, f"{path}[{i}]")
            if found is not None:
                return found
        return None
    return None if old == new else (path, old, new)
