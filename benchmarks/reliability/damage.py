"""Damage at random positions of a store: is all of it found, and is only that computed again?

    nice -n 10 python -m benchmarks.reliability.damage [--positions 1000]

A finished store of 300 stand-in tasks is harmed ten positions at a time: a byte changed, an object truncated, deleted,
made longer, replaced by another whole one of the store (*swapped*: a chunk of another task or variable, say), or by a
folder or a symbolic link; half of the positions are drawn uniformly over the objects (descriptions, coordinates,
chunks, commit records, the root and its copy, the records of runs), half over the bytes. ``verify`` must list exactly
the harmed objects. After ``repair`` and a run the store must be the old one byte for byte, and the run must have
computed the tasks with harmed chunks, no others. The root and its copy are not harmed in the same round: a store that
has lost both is refused. Where a task's status is harmed nothing says that its other chunks should be there: it is
listed by its status, and those that are gone or swapped are not.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.reliability import stand_in
from simulate import Campaign, Store, load_data, run
from simulate.measure.schema import variables
from simulate.planning.tasks import Task, campaign_tasks
from simulate.store.commits import COMMITS
from simulate.store.records import RECORDS

_TOGETHER = 10
_ROOTS = ("zarr.json", ".lazyrich/root.json")


def main() -> None:
    """Run it and write ``results/damage.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--positions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stand_in.keep("damage", measure(Path(folder, "s.zarr"), options.tasks, options.positions, options.seed))


def measure(path: Path, tasks: int, positions: int, seed: int) -> dict:
    """Return the counts."""
    campaign = stand_in.campaign(tasks)
    run(campaign, path, workers=1, compute=lambda e, t, d, *, device: stand_in.invented_results(e, t, d))
    data = {e.name: load_data(e) for e in campaign.experiment}
    whole = _contents(path)
    kinds: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    missed = listed_by_status = false = wrongly_computed = not_computed = differ = recomputed = 0
    generator = np.random.default_rng(seed)
    for _ in range(positions // _TOGETHER):
        harmed = _draw(generator, whole)
        owners = {owner for name in harmed if (owner := _owner(campaign, name))}
        for name in sorted(harmed):
            kinds[_harm(generator, path, name, whole)] += 1
            parts[_part(name)] += 1
        reported = {d.path for d in Store.open(path).verify()}
        unseen = harmed - reported
        known = {_owner(campaign, name) for name in reported}
        by_status = {name for name in unseen if _owner(campaign, name) in known - {None}}
        missed += len(unseen - by_status)
        listed_by_status += len(by_status)
        false += len(reported - harmed)
        store = Store.open(path)
        with store.lock():
            store.repair(data)
        computed: list[Task] = []
        run(campaign, path, workers=1, compute=_counting(computed))
        recomputed += len(computed)
        wrongly_computed += len(set(computed) - owners)
        not_computed += len(owners - set(computed))
        now = _contents(path)
        differ += sum(now.get(name) != data for name, data in whole.items() if name not in RECORDS)
        whole |= {name: now[name] for name in RECORDS}
    return {
        "tasks": tasks,
        "pieces": len(whole),
        "bytes": sum(map(len, whole.values())),
        "positions_harmed": kinds.total(),
        "how": dict(kinds),
        "where": dict(parts),
        "not_found": missed,
        "chunks_listed_by_their_status_only": listed_by_status,
        "found_though_whole": false,
        "tasks_computed_again": recomputed,
        "tasks_computed_though_whole": wrongly_computed,
        "tasks_harmed_and_not_computed": not_computed,
        "pieces_that_differ_after_repair": differ,
        "damaged_at_the_end": len(Store.open(path).verify()),
    }


def _contents(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def _draw(generator: np.random.Generator, whole: dict[str, bytes]) -> set[str]:
    """Ten different objects, half by number and half by size."""
    names = list(whole)
    sizes = np.array([len(whole[name]) for name in names], dtype=float)
    while True:
        by_number = generator.choice(len(names), _TOGETHER // 2, replace=False)
        by_size = generator.choice(len(names), _TOGETHER // 2, replace=False, p=sizes / sizes.sum())
        drawn = {names[i] for i in (*by_number, *by_size)}
        if len(drawn) == _TOGETHER and not any(drawn.issuperset(pair) for pair in (_ROOTS, RECORDS)):
            return drawn


def _harm(generator: np.random.Generator, store: Path, key: str, whole: dict[str, bytes]) -> str:
    """Harm one object; return how."""
    file = store / key
    kinds = {"changed": 0.4, "swapped": 0.3, "truncated": 0.06, "deleted": 0.06, "lengthened": 0.06}
    kinds |= {"made a folder": 0.06, "made a link": 0.06}
    kind = str(generator.choice([*kinds], p=[*kinds.values()]))
    data = bytearray(file.read_bytes())
    position = int(generator.integers(len(data)))
    match kind:
        case "changed":
            data[position] ^= int(generator.integers(1, 256))
        case "truncated":
            del data[position:]
        case "lengthened":
            data += generator.bytes(1 + position % 100)
        case "swapped":
            data = bytearray(_another(generator, key, whole))
    match kind:
        case "deleted":
            file.unlink()
        case "made a folder":
            file.unlink()
            file.mkdir()
        case "made a link":
            file.symlink_to(file.rename(file.with_name(f"{file.name}.moved")))
        case _:
            file.write_bytes(data)
    return kind


def _another(generator: np.random.Generator, key: str, whole: dict[str, bytes]) -> bytes:
    """Return another whole object: one of the same variable, one of the same task, or any, evenly."""
    others = [other for other, data in whole.items() if data != whole[key]]
    relation = generator.choice(["variable", "task", "any"])
    if relation == "variable":  # the first two parts of a key are experiment and variable
        alike = [other for other in others if other.split("/")[:2] == key.split("/")[:2]]
    elif relation == "task":  # the parts after them are the position of the chunk
        alike = [other for other in others if other.split("/")[2:] == key.split("/")[2:]]
    else:
        alike = others
    chosen = alike or others
    return whole[chosen[int(generator.integers(len(chosen)))]]


def _owner(campaign: Campaign, name: str) -> Task | None:
    """The task whose chunk or commit record an object is, if it is one."""
    if name.startswith(f"{COMMITS}/"):
        index, _, block = (int(i) for i in name.rpartition("/")[2].removesuffix(".json").split("."))
    else:
        _, _, rest = name.partition("/")
        variable, _, chunk = rest.partition("/c/")
        if not chunk or variable not in variables(campaign.experiment[0]):
            return None
        index, _, block = (int(i) for i in chunk.split("/")[:3])
    return next(t for t in campaign_tasks(campaign) if (t.index, t.seed_start) == (index, 50 * block))


def _part(name: str) -> str:
    if name in _ROOTS:
        return "root or its copy"
    if name.startswith(f"{COMMITS}/"):
        return "commit record"
    if name.startswith(".lazyrich"):
        return "records of runs"
    if name.endswith("zarr.json"):
        return "description"
    return "status" if name.split("/")[1] == "status" else "coordinate or result"


def _counting(computed: list[Task]):
    def compute(experiment, task, data, *, device):
        computed.append(task)
        return stand_in.invented_results(experiment, task, data)

    return compute


if __name__ == "__main__":
    main()
