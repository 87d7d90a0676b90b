"""Property-based fuzzing of every door: is whatever comes in understood, or refused in one sentence?

    TMPDIR=/dev/shm nice -n 10 python -m benchmarks.reliability.fuzz [--inputs 20000] [--doors NAME ...]

Doors are campaign files, command lines, tables, netCDF files, predictions, npz files, formulas, names and paths, and
stores harmed in their structure. Inputs are drawn by hypothesis. An input is understood (it is read, or the command
ends with 0), refused (an expected error; 2 to 5 with one sentence), or unexpected: any other exception, a fault of
lazyrich, more than `SECONDS`. Of harmed stores more is asked: ``verify`` lists every object that was harmed, or the
store is refused; after ``repair`` and a run it is the old one, byte for byte.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import signal
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.reliability import nonsense, stand_in
from fit.measurements.reading import measurements
from fit.user_predictions import read_predictions
from lazyrich.errors import ExpectedError
from lazyrich.filenames import check_output_folder, check_path, file_names
from simulate import Campaign, Experiment, Store, load_data, run
from simulate.store.commits import COMMITS
from simulate.store.in_memory import MemoryBackend
from simulate.store.locations import backend_for
from simulate.store.records import RECORDS
from simulate.store.root import COPY, ROOT, sealed
from theory.activation import Activation

SECONDS = 60.0  # that one input may take: formulas have deadlines of their own

_TEXTS = st.text(max_size=30)
_ODD_NUMBERS = st.one_of(
    st.integers(-3, 300), st.integers(), st.floats(), st.sampled_from([10**40, -(10**19), 2**63, 10**4200, 1e300, 0.0])
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), _ODD_NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def main() -> None:
    """Run it and write ``results/fuzz.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doors", nargs="*", default=[*DOORS], choices=[*DOORS], metavar="NAME")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stand_in.keep("fuzz", measure(Path(folder), options.inputs, options.seed, options.doors))


@dataclass
class Tally:
    """How the inputs of one door ended."""

    ended: Counter[str] = field(default_factory=Counter)
    unexpected: list[dict[str, str]] = field(default_factory=list)

    def add(self, how: str) -> None:
        """Count an input that was understood or refused."""
        self.ended[how] += 1

    def add_unexpected(self, given_input: object, error: str) -> None:
        """Keep an input that ended in another way."""
        self.ended["unexpected"] += 1
        self.unexpected.append({"input": _shown(given_input)[:1000], "error": error[-1000:]})


def measure(folder: Path, inputs: int, chosen: int, doors: list[str] | None = None) -> dict[str, Any]:
    """Return the counts by door, and what was unexpected (of each door the first ten)."""
    names = doors or [*DOORS]
    weights = {name: DOORS[name].weight for name in names}
    result: dict[str, Any] = {"inputs": 0, "unexpected": 0, "doors": {}}
    for name in names:
        count = max(1, round(inputs * weights[name] / sum(weights.values())))
        place = folder / name.replace(" ", "-")
        place.mkdir()
        tally = _through(DOORS[name], place, count, chosen)
        result["inputs"] += tally.ended.total()
        result["unexpected"] += tally.ended["unexpected"]
        result["doors"][name] = {**dict(sorted(tally.ended.items())), "first_unexpected": tally.unexpected[:10]}
    return result


def _through(door: Door, folder: Path, count: int, chosen: int) -> Tally:
    """Send inputs through a door, no two alike."""
    enter = door.prepare(folder)
    tally = Tally()
    seen: set[str] = set()

    @seed(chosen)
    @settings(
        max_examples=4 * count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(door.inputs)
    def send(given_input: Any) -> None:
        text = _shown(given_input)
        if len(seen) >= count or text in seen:
            return
        seen.add(text)
        try:
            with _deadline(SECONDS), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tally.add(enter(given_input) or "understood")
        except ExpectedError as error:
            if "\n" in str(error).strip():
                tally.add_unexpected(given_input, f"more than one line: {error}")
            else:
                tally.add("refused")
        except Exception:
            tally.add_unexpected(given_input, traceback.format_exc())

    send()
    return tally


def _shown(given_input: object) -> str:
    try:
        return repr(given_input)
    except ValueError:  # integers of thousands of digits
        return f"{type(given_input).__name__} with a number too long to be shown, {id(given_input)}"


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def late(signum: int, frame: object) -> None:
        raise TimeoutError(f"more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


# -- campaigns, command lines, predictions, formulas, names ------------------------------------------------------------


def _campaigns(folder: Path) -> Callable[[Any], str | None]:
    def enter(drawn: tuple[bytes, tuple[str, ...]]) -> None:
        (folder / "c.toml").write_bytes(drawn[0])
        campaign = Campaign.from_toml(folder / "c.toml")
        assert Campaign.from_dict(campaign.to_dict()) == campaign
        assert campaign.size > 0

    return enter


def _command_lines(folder: Path) -> Callable[[Any], str | None]:
    made = folder / "made"
    nonsense.make_files(made)

    def enter(drawn: tuple[bytes, tuple[str, ...]]) -> str:
        outcomes, wrong = nonsense.outcomes([drawn], folder, made, nonsense.in_this_process)
        if wrong:
            raise AssertionError(json.dumps(wrong[0]))
        return next(name for name in outcomes if name != "examples")

    return enter


_LAWS = st.one_of(
    st.sampled_from(
        ["kernel_change ~ A^(-3/2)", "a ~ h", "x ~ width^2", "t1 ~ A^(1/0)", "~", "a ~ b ~ c", "t ~ A^1e9"]
    ),
    _TEXTS,
)


def _predictions(folder: Path) -> Callable[[Any], str | None]:
    def enter(tables: list[dict[str, Any]]) -> None:
        lines = []
        for table in tables:
            lines.append("[[prediction]]")
            lines += [f"{json.dumps(key)} = {nonsense.toml(value)}" for key, value in table.items()]
        (folder / "p.toml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
        read_predictions(folder / "p.toml")

    return enter


_PREDICTION_KEYS = st.sampled_from(
    ["law", "range", "root_h_alpha", "width", "margin", "claim", "statistic", "correction", "experiment", "why", "x"]
)
_PREDICTION_TABLES = st.lists(
    st.builds(
        lambda law, rest: {"law": law, **rest},
        _LAWS,
        st.dictionaries(_PREDICTION_KEYS, nonsense.VALUES, max_size=3),
    ),
    max_size=2,
)


def _formulas(folder: Path) -> Callable[[Any], str | None]:
    def enter(formula: str) -> None:
        assert Activation(formula).degree is not None

    return enter


def _names(folder: Path) -> Callable[[Any], str | None]:
    def enter(text: str) -> None:
        (name,) = file_names([text]).values()
        (folder / name).touch()
        assert (folder / name).parent == folder
        (folder / name).unlink()
        check_path("out", text)
        check_output_folder("out", folder / text)
        backend = backend_for(text)
        if not text.startswith(("/", ".")):
            backend.exists("zarr.json")
            Store.open(backend)

    return enter


_PATHS = st.one_of(
    st.text(max_size=300),
    st.builds("{}://{}".format, st.sampled_from(["s3", "memory", "file", "http", "x", "", "gs", "local"]), _TEXTS),
    st.builds("".join, st.lists(st.sampled_from(["/", "..", "~", "a", "\0", "\n", "[/red]", "con", "é", " "]))),
    st.sampled_from(["a" * 300, "a/" * 3000, "\udcff", "."]),
)


# -- tables, netCDF, npz -----------------------------------------------------------------------------------------------

_CELLS = st.one_of(
    st.sampled_from(["", "1", "2", "64", "0.1", "1e-3", "nan", "inf", "-1", "x", "1e400", '"', "a;b", "0x1", " 3 "]),
    st.text(max_size=5),
    st.floats().map(str),
)
_COLUMNS = st.one_of(
    st.sampled_from(
        ["width", "root_h_alpha", "alpha", "seed", "kernel_change", "status", "experiment", "activation", "depth",
         "test_error", "Width ", "layer", "converged"]
    ),
    st.text(max_size=6),
)  # fmt: skip


@st.composite
def _tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file's ending and its content: a good table, harmed."""
    columns = ["width", "root_h_alpha", "seed", "kernel_change"]
    rows = [[h, a, s, f"{0.1 + int(s) / 100}"] for h in ("8", "16") for a in ("0.1", "1") for s in ("0", "1")]
    for _ in range(draw(st.integers(0, 3))):
        match draw(st.sampled_from(["cell", "column", "name", "row", "drop"])):
            case "cell":
                row = draw(st.sampled_from(rows))
                row[draw(st.integers(0, len(row) - 1))] = draw(_CELLS)
            case "column":
                columns.append(draw(_COLUMNS))
                for row in rows:
                    row.append(draw(_CELLS))
            case "name":
                columns[draw(st.integers(0, len(columns) - 1))] = draw(_COLUMNS)
            case "row":
                rows.append(draw(st.lists(_CELLS, max_size=6)) or ["1"])
            case "drop":
                del columns[draw(st.integers(0, len(columns) - 1))]
    separator = draw(st.sampled_from([",", ",", ";", "\t", " "]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "latin-1"]))
    text = "\n".join(separator.join(line) for line in [columns, *rows]) + "\n"
    data = text.encode(encoding, errors="replace")
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))] + draw(st.binary(max_size=20))
    return draw(st.sampled_from([".csv", ".csv", ".CSV", ".tsv", ".txt", ".csv.gz"])), data


def _table_door(folder: Path) -> Callable[[Any], str | None]:
    def enter(drawn: tuple[str, bytes]) -> None:
        path = folder / f"t{drawn[0]}"
        path.write_bytes(drawn[1])
        _use(measurements(path))

    return enter


def _use(experiments: list[Any]) -> None:
    """What a report does first."""
    for one in experiments:
        assert one.size >= 0
        assert one.converged.shape == one.status.shape


@st.composite
def _netcdfs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Attributes of a file, changes of its variables, and how much of it is left."""
    attributes = draw(
        st.dictionaries(st.sampled_from(["experiment", "depth", "activation", "architecture", "x"]), _JSON, max_size=3)
    )
    change = draw(st.sampled_from(["", "drop seed", "rename width", "text", "one dimension", "twice", "negative"]))
    return attributes, {"change": change}, draw(st.sampled_from([-1, -1, -1, 0, 100, 400]))


def _netcdf_door(folder: Path) -> Callable[[Any], str | None]:
    axes = {"width": [8, 16], "root_h_alpha": [0.1, 1.0], "seed": [0, 1]}
    numbers = np.arange(8.0).reshape(2, 2, 2)

    def enter(drawn: tuple[dict[str, Any], dict[str, Any], int]) -> None:
        attributes, changes, left = drawn
        data = xr.Dataset({"kernel_change": (tuple(axes), numbers), "status": (tuple(axes), numbers)}, axes)
        match changes["change"]:
            case "drop seed":
                data = data.isel(seed=0, drop=True)
            case "rename width":
                data = data.rename(width="h")
            case "text":
                data["kernel_change"] = data["kernel_change"].astype(str)
            case "one dimension":
                data = data.stack(row=[*axes]).reset_index("row")
            case "twice":
                data = data.assign_coords(width=[8, 8])
            case "negative":
                data = data.assign_coords(width=[-8, 0])
        for name, value in attributes.items():
            try:
                data.attrs[name] = json.dumps(value) if isinstance(value, dict | list | bool | None) else value
                buffer = bytes(data.to_netcdf(engine="scipy"))
            except (TypeError, ValueError, OverflowError, UnicodeError, AttributeError, KeyError):
                del data.attrs[name]  # what netCDF can't hold comes in by another door
        try:
            buffer = bytes(data.to_netcdf(engine="scipy"))
        except (TypeError, ValueError, KeyError, UnicodeError, AttributeError):
            return
        (folder / "d.nc").write_bytes(buffer if left < 0 else buffer[:left])
        _use(measurements(folder / "d.nc"))

    return enter


_NPZ_ARRAYS = st.one_of(
    st.builds(
        lambda shape, dtype, low: (shape, dtype, low),
        st.lists(st.integers(0, 5), max_size=4).map(tuple),
        st.sampled_from(["float64", "float32", "int64", "uint8", "bool", "complex64", "U3", "float16"]),
        st.sampled_from([-1, 0, 1, 7]),
    )
)


@st.composite
def _npzs(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """Arrays by name (shape, type, smallest value), and how many bytes of the file are left."""
    arrays = {
        "x_train": ((8, 3), "float64", 0), "y_train": ((8,), "int64", 0),
        "x_test": ((8, 3), "float64", 0), "y_test": ((8,), "int64", 0),
    }  # fmt: skip
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*arrays, "other"]))
        if draw(st.booleans()):
            arrays[name] = draw(_NPZ_ARRAYS)
        elif name in arrays and len(arrays) > 1:
            del arrays[name]
    return arrays, draw(st.sampled_from([-1, -1, -1, 0, 50, 500]))


def _npz_door(folder: Path) -> Callable[[Any], str | None]:
    generator = np.random.default_rng(0)

    def enter(drawn: tuple[dict[str, Any], int]) -> None:
        arrays, left = drawn
        made = {}
        for name, (shape, dtype, low) in arrays.items():
            made[name] = (generator.integers(low, low + 3, shape)).astype(dtype)
        buffer = io.BytesIO()
        np.savez(buffer, **made)
        data = buffer.getvalue()
        path = folder / "d.npz"
        path.write_bytes(data if left < 0 else data[:left])
        fields = {"name": "e", "dataset": str(path), "n_train": 2, "n_test": 2, "depth": 1, "activation": "relu"}
        load_data(Experiment.model_validate({**fields, "widths": [3], "root_h_alpha": [1.0], "seeds": 1}))

    return enter


# -- stores ------------------------------------------------------------------------------------------------------------

_HARMS = st.sampled_from(
    ["delete", "truncate", "lengthen", "flip", "swap", "copy", "empty", "deep", "json", "json", "reseal", "reseal"]
)


@st.composite
def _harms(draw: st.DrawFn) -> list[tuple[str, float, float, Any]]:
    """Up to three harms: a kind, which object (0 to 1), a position (0 to 1) or another object, a value."""
    fraction = st.floats(0, 1, exclude_max=True)
    return draw(st.lists(st.tuples(_HARMS, fraction, fraction, _JSON), min_size=1, max_size=3))


def _store_door(folder: Path) -> Callable[[Any], str | None]:
    grid = {"widths": [8, 9], "root_h_alpha": [0.1, 10.0], "seeds": 3}
    fields = {"dataset": "sphere", "n_train": 4, "n_test": 5, "depth": 1, "activation": "relu"}
    campaign = Campaign.from_dict(
        {"name": "c", "experiment": [{**fields, **grid, "name": "a"}, {**fields, **grid, "name": "b", "depth": 2}]}
    )
    data = {e.name: load_data(e) for e in campaign.experiment}
    whole = MemoryBackend()
    run(campaign, whole, workers=1, compute=_made_up)
    before = dict(whole.objects)

    def enter(drawn: list[tuple[str, float, float, Any]]) -> str:
        backend = MemoryBackend()
        backend.objects = dict(before)
        for harm in drawn:
            _harm(backend.objects, *harm)
        changed = {key for key in before if backend.objects.get(key) != before[key]}
        if not changed:
            return "unharmed"
        # a root that bears its seal, and its copy, are what a store is: nothing says that they were others
        forged = backend.objects.get(ROOT) == backend.objects.get(COPY) != before[ROOT]
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
    return stand_in.made_up(experiment, task, data)


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


# -- the doors ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """What is drawn for a door, what it is sent into, and its share of all inputs."""

    inputs: st.SearchStrategy[Any]
    prepare: Callable[[Path], Callable[[Any], str | None]]
    weight: int


DOORS = {
    "campaigns": Door(nonsense.campaign_files(), _campaigns, 5),
    "command lines": Door(nonsense.command_lines(), _command_lines, 2),
    "predictions": Door(_PREDICTION_TABLES, _predictions, 3),
    "formulas": Door(nonsense.FORMULAS, _formulas, 2),
    "names and paths": Door(_PATHS, _names, 3),
    "tables": Door(_tables(), _table_door, 4),
    "netCDF": Door(_netcdfs(), _netcdf_door, 2),
    "npz": Door(_npzs(), _npz_door, 3),
    "stores": Door(_harms(), _store_door, 3),
}

if __name__ == "__main__":
    main()
