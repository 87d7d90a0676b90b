"""The door of stores: a whole one, harmed in its structure."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import xarray as xr
from hypothesis import strategies as st

from benchmarks.reliability import stand_in
from benchmarks.reliability.doors.door import JSON, Door, Enter
from lazyrich.errors import ExpectedError
from simulate import Campaign, Store, load_data, run
from simulate.store.commits import COMMITS
from simulate.store.in_memory import MemoryBackend
from simulate.store.records import RECORDS
from simulate.store.root import COPY, ROOT, read_root, sealed

_HARMS = st.sampled_from(
    ["delete", "truncate", "lengthen", "flip", "swap", "copy", "empty", "deep", "json", "json", "reseal", "reseal"]
)


@st.composite
def _harms(draw: st.DrawFn) -> list[tuple[str, float, float, Any]]:
    """Up to three harms: a kind, which object (0 to 1), a position (0 to 1) or another object, a value."""
    fraction = st.floats(0, 1, exclude_max=True)
    return draw(st.lists(st.tuples(_HARMS, fraction, fraction, JSON), min_size=1, max_size=3))


def _whole_store() -> tuple[Campaign, MemoryBackend]:
    grid = {"widths": [8, 9], "root_h_alpha": [0.1, 10.0], "seeds": 3}
    fields = {"dataset": "sphere", "n_train": 4, "n_test": 5, "depth": 1, "activation": "relu"}
    campaign = Campaign.from_dict(
        {"name": "c", "experiment": [{**fields, **grid, "name": "a"}, {**fields, **grid, "name": "b", "depth": 2}]}
    )
    whole = MemoryBackend()
    run(campaign, whole, workers=1, compute=_made_up)
    return campaign, whole


def _store_command(drawn: list[tuple[str, float, float, Any]], folder: Path) -> tuple[str, ...]:
    objects = _whole_store()[1].objects
    for harm in drawn:
        _harm(objects, *harm)
    for key, content in objects.items():
        path = folder / "harmed.zarr" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    commands = ("simulate verify", "simulate status", "report", "simulate repair")
    return *commands[int(drawn[0][1] * len(commands))].split(), "harmed.zarr"


def _store_door(folder: Path) -> Enter:
    campaign, whole = _whole_store()
    data = {e.name: load_data(e) for e in campaign.experiment}
    before = dict(whole.objects)

    def enter(drawn: list[tuple[str, float, float, Any]]) -> str:
        backend = MemoryBackend()
        backend.objects = dict(before)
        for harm in drawn:
            _harm(backend.objects, *harm)
        changed = {key for key in before if backend.objects.get(key) != before[key]}
        if not changed:
            return "unharmed"
        # a root that bears its seal is what a store is: nothing says that it was another one
        forged = read_root(backend).document != read_root(whole).document
        store = Store.open(backend)
        listed = {damage.path for damage in store.verify()}
        # whose chunks they are is said by the record; that they are there, by the status
        marks = {damage.task for damage in store.verify() if "/status/" in damage.path or COMMITS in damage.path}
        by_task = {key for key in changed if any(_belongs(store, key, task) for task in marks if task)}
        unseen = changed - listed - by_task
        assert forged or not unseen, f"not found: {sorted(unseen)}"
        for read in (store.counts, store.cost):
            with suppress(ExpectedError):
                read()
        with store.lock():
            store.repair(data)
        run(campaign, backend, workers=1, compute=_made_up)
        assert Store.open(backend).verify() == []
        different = [k for k in before if k not in RECORDS and backend.objects.get(k) != before[k]]
        assert forged or not different, f"not as before: {different}"
        return "taken as it says" if forged else "found and mended"

    return enter


def _belongs(store: Store, key: str, task: Any) -> bool:
    """Whether an object is a chunk or the commit record of a task, whose status alone need be listed."""
    codec = store.codecs[task.experiment]
    return key in [codec.key(task, name) for name in codec.variables] or key.endswith(f"{task.index}.0.0.json")


def _made_up(experiment: Any, task: Any, data: Any, *, device: str) -> xr.Dataset:
    return stand_in.invented_results(experiment, task, data)


def _harm(objects: dict[str, bytes], kind: str, which: float, where: float, value: Any) -> None:
    keys = sorted(objects)
    key, other = keys[int(which * len(keys))], keys[int(where * len(keys))]
    data = objects[key]
    position = int(where * max(1, len(data)))
    match kind:
        case "delete":
            del objects[key]
        case "truncate":
            objects[key] = data[:position]
        case "lengthen":
            objects[key] = data + b"junk"
        case "flip" if data:
            objects[key] = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        case "swap":
            objects[key], objects[other] = objects[other], objects[key]
        case "copy":
            objects[key] = objects[other]
        case "empty":
            objects[key] = b""
        case "deep":
            objects[key] = b"[" * 100_000
        case "json" | "reseal":
            documents = [k for k in keys if k.endswith("zarr.json") or k == COPY]
            target = ROOT if kind == "reseal" and ROOT in objects else documents[int(which * len(documents))]
            try:
                document = json.loads(objects[target])
                _put(document, where, value)
                objects[target] = sealed(document) if kind == "reseal" else json.dumps(document).encode()
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                return  # what JSON can't hold, or a document that was harmed before
            if kind == "reseal":
                objects[COPY] = objects[target]


def _put(document: Any, where: float, value: Any) -> None:
    """Put a value somewhere into a document."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            places.append((node, key))
            walk(inner)

    walk(document)
    if places:
        node, key = places[min(len(places) - 1, math.floor(where * len(places)))]
        node[key] = value


DOORS = {"stores": Door(_harms(), _store_door, _store_command, 3)}
