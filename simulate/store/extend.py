"""Add seeds, widths or amplitudes to a store without computing again what is finished.

Chunks hold all amplitudes and a block of seeds, so a larger grid is another layout: a new store is written beside the
old one, finished networks are copied into it, and the two change places. Until then the old one is not touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lazyrich.errors import InputError
from lazyrich.filenames import real_path
from simulate.campaign.campaign import Campaign
from simulate.data import Data
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.tasks import Task
from simulate.store.backend import storage_errors
from simulate.store.differences import first_difference
from simulate.store.folder import FolderBackend
from simulate.store.locations import backend_for
from simulate.store.records import write_records
from simulate.store.store import Store
from simulate.training.status import Status

_REMEDY = "Extending adds seeds, widths or amplitudes; for anything else give another path with --out"


def extend(path: str | Path, campaign: Campaign, data: Mapping[str, Data]) -> int:
    """Make the store at ``path`` one of the larger ``campaign``; return how many finished networks it kept.

    Hold the store. A store that is not there, or is of this campaign already, is left as it is.

    Raises
    ------
    InputError
        If the campaign differs in anything but more seeds, widths or amplitudes, the store is damaged, or it is not in
        a folder.
    StoreError
        If the storage fails; the old store is as it was.
    """
    backend = backend_for(path)
    if backend.is_empty():
        return 0
    old = Store.open(path)
    if old.campaign == campaign:
        return 0
    check_grows(old, campaign)
    if not isinstance(backend, FolderBackend):
        raise InputError("extend", str(path), "only stores in folders can be extended", "Copy it to a folder and back")
    old.check_layout()
    old.check_data(data)
    folder = real_path(backend.path)
    larger = _larger(folder)
    shutil.rmtree(larger, ignore_errors=True)  # what a killed extension has left
    new = Store.create(larger, campaign, data, old.root.attributes["device"])
    networks_kept = sum(_keep_finished(old, new, task, data[task.experiment]) for task in new.tasks())
    record = {"extended_from": old.root.attributes["digest"], "networks_kept": networks_kept}
    with storage_errors(backend):
        write_records(new.backend, [*old.records(), record])
        folder.rename(_replaced(folder))
        larger.rename(folder)
        shutil.rmtree(_replaced(folder))
    return networks_kept


def finish_extension(path: str | Path) -> None:
    """Put in place what an extension had finished when it was killed between its last two steps."""
    backend = backend_for(path)
    if not isinstance(backend, FolderBackend):
        return
    with storage_errors(backend):
        store = real_path(backend.path)
        if not store.name:  # the root of the file system
            return
        larger, replaced = _larger(store), _replaced(store)
        if replaced.is_dir() and not store.exists() and larger.is_dir():
            larger.rename(store)
        if replaced.is_dir() and store.exists():
            shutil.rmtree(replaced, ignore_errors=True)


def _larger(store: Path) -> Path:
    """Return where the larger store is written."""
    return store.with_name(store.name + ".extending")


def _replaced(store: Path) -> Path:
    """Return where the smaller store goes when the larger one takes its place."""
    return store.with_name(store.name + ".replaced")


def check_grows(old: Store, campaign: Campaign) -> None:
    """Raise an `InputError` unless ``campaign`` is the store's own with more seeds, widths or amplitudes."""
    before, after = old.campaign.to_dict(), campaign.to_dict()
    if len(after["experiment"]) == len(before["experiment"]):
        for earlier, later in zip(old.campaign.experiment, campaign.experiment, strict=True):
            index = old.campaign.experiment.index(earlier)
            grown = after["experiment"][index]
            if set(earlier.widths) <= set(later.widths) and earlier.seeds <= later.seeds:
                grown |= {"widths": list(earlier.widths), "seeds": earlier.seeds}
            if earlier.amplitude == later.amplitude and set(earlier.amplitudes) <= set(later.amplitudes):
                grown[earlier.amplitude] = before["experiment"][index][earlier.amplitude]
    difference = first_difference(before, after)
    if difference is not None:
        field, stored, asked = difference
        raise InputError(field, asked, f"the store {old.backend} was made with {stored!r}", _REMEDY)
    for later in campaign.experiment:
        stored, chosen = old.integrator(later.name), integrator_of(later)
        if stored != chosen:
            problem = (
                f"the integrator of {later.name} would be {chosen}, and the store's networks were made with {stored}"
            )
            raise InputError("widths", list(later.widths), problem, _REMEDY)


def _keep_finished(old: Store, new: Store, task: Task, data: Data) -> int:
    """Copy what of a task the old store has finished; return how many networks."""
    earlier, later = old.campaign.find(task.experiment), new.campaign.find(task.experiment)
    if task.width not in earlier.widths or task.seed_start >= earlier.seeds:
        return 0
    seeds = slice(task.seed_start, min(task.seed_stop, earlier.seeds))
    columns = np.searchsorted(later.amplitudes, earlier.amplitudes)
    earlier_results = (
        old.tree()[task.experiment].to_dataset().isel(width=[earlier.widths.index(task.width)], seed=seeds).load()
    )
    finished = int((earlier_results["status"] != Status.PENDING).sum())
    if finished:
        result = new.fill_values(task)
        for name in result.data_vars:
            if name in earlier_results:
                result[name].values[:, columns, : seeds.stop - seeds.start] = earlier_results[name].values
        new.write(task, result)
    return finished
