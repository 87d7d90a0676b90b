"""The store: one Zarr v3 hierarchy, a group per experiment, written once in layout and then task by task.

What it promises: a network whose ``status`` is not "pending" is on disk and whole. A task owns whole chunks; its data
are written and flushed to the disk before its status, which is the commit mark. Every chunk carries a CRC32C checksum;
every piece of metadata and every coordinate is listed with its SHA-256 in the root's attributes. The store opens with
``xarray.open_datatree(path, engine="zarr")`` at any moment, also while a run goes on.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib.metadata
import json
import os
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec

from simulate.campaign import Campaign, Experiment, Task
from simulate.data import Data
from simulate.schema import SCHEMA_VERSION, Status, variables
from theory import InputError

_FILL = {"float64": np.nan, "float32": np.nan, "int32": 0, "int8": 0}
_PACKAGES = ("lazyrich", "numpy", "scipy", "sympy", "torch", "xarray", "zarr", "scikit-learn")
_REMEDY_NEW = "Give another path with --out, or the store's own campaign"


class StoreError(Exception):
    """The storage failed while a run was writing (disk full, permission lost, another run holds the store)."""


@dataclass(frozen=True)
class Damage:
    """Something in a store that is not as it was written; ``task`` says whose results are lost, if any are."""

    path: str
    problem: str
    task: Task | None = None


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into `StoreError`, which says what is kept."""
    try:
        # a chunk of zeros is a result like any other: that its file is there says that it was written
        with zarr.config.set({"array.write_empty_chunks": True}):
            yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{path}: {reason}. What was finished is kept; mend this and run the same command again."
        ) from error


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Say which part of a store is damaged, if that is why reading it failed.

    Raises
    ------
    InputError
        Naming the first damaged chunk; an exception that has another cause travels on.
    """
    try:
        yield
    except InputError:
        raise
    except (ValueError, RuntimeError, OSError) as error:
        if not Path(path, "zarr.json").is_file():
            raise
        damaged = Store.open(path).verify()
        if not damaged:
            raise
        first = f"{len(damaged)} damaged pieces, the first: {damaged[0].path} {damaged[0].problem}"
        remedy = f"Run python -m simulate repair {path}, which computes only these again"
        raise InputError("store", str(path), first, remedy) from error


class Store:
    """A store on a local disk.

    Use `create` or `open`; both return a store whose campaign is known and whose layout is complete.
    """

    def __init__(self, path: Path, campaign: Campaign) -> None:
        self.path = path
        self.campaign = campaign

    # -- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | Path, campaign: Campaign, data: Mapping[str, Data], device: str) -> Store:
        """Lay out an empty store at ``path``, or open the one of the same campaign that is there.

        Raises
        ------
        InputError
            If the path can't be written, or holds something else or another campaign's store.
        """
        path = Path(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            store = cls.open(path)
            store._check_same(campaign)
            return store
        try:
            path.mkdir(parents=True, exist_ok=True)
            _write_layout(path, campaign, data, device)
        except OSError as error:
            raise InputError(
                "out", str(path), f"can't be written ({error.strerror})", "Give a path that can be written"
            ) from None
        return cls(path, campaign)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open the store at ``path``.

        Raises
        ------
        InputError
            If there is none, or it is of another schema version.
        """
        path = Path(path)
        attributes = _root_attributes(path)
        if attributes.get("schema_version") != SCHEMA_VERSION:
            raise InputError(
                "store",
                str(path),
                f"has schema version {attributes.get('schema_version')}, and this version reads {SCHEMA_VERSION}",
                "Use the version of lazyrich that wrote it",
            )
        try:
            campaign = Campaign.from_dict(attributes["campaign"])
        except (InputError, KeyError) as error:
            raise InputError("store", str(path), f"its campaign can't be read ({error})", "Restore it") from None
        return cls(path, campaign)

    def _check_same(self, campaign: Campaign) -> None:
        difference = _first_difference(self.campaign.to_dict(), campaign.to_dict())
        if difference is not None:
            field, old, new = difference
            raise InputError(field, new, f"the store {self.path} was made with {old!r}", _REMEDY_NEW)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store for one run; the lock goes with the process, however it ends."""
        with storage(self.path):
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise StoreError(f"{self.path}: can't be locked ({error.strerror}).") from error
                raise StoreError(f"{self.path}: another run is writing to it. Wait for it, or stop it.") from error
            yield
        finally:
            os.close(descriptor)

    # -- writing and reading ---------------------------------------------------------------------------------------

    def write(self, task: Task, result: xr.Dataset) -> None:
        """Write a task's results (as `simulate.engine.run_task` returns them), the status last."""
        with storage(self.path):
            group = zarr.open_group(self.path, path=task.experiment, mode="r+", use_consolidated=False)
            names = [str(n) for n in result.data_vars if n != "status"]
            for name in names:
                self._write_block(group, name, task, result[name].values)
            self._flush(task, names)
            self._write_block(group, "status", task, result["status"].values)
            self._flush(task, ["status"])

    def mark_pending(self, task: Task) -> None:
        """Forget a task's results, so that it is computed again."""
        with storage(self.path):
            group = zarr.open_group(self.path, path=task.experiment, mode="r+", use_consolidated=False)
            shape = (1, _array(group, "status").shape[1], task.seed_stop - task.seed_start)
            self._write_block(group, "status", task, np.full(shape, Status.PENDING, dtype="int8"))
            self._flush(task, ["status"])

    def pending(self) -> tuple[Task, ...]:
        """Return the tasks that are not finished, in scheduling order."""
        missing = []
        for task in self.campaign.tasks():
            group = zarr.open_group(self.path, path=task.experiment, mode="r", use_consolidated=False)
            if (_block(group, "status", task) == Status.PENDING).any():
                missing.append(task)
        return tuple(missing)

    def counts(self) -> dict[str, dict[Status, int]]:
        """Return how many networks of each experiment ended how."""
        counted = {}
        for experiment in self.campaign.experiment:
            group = zarr.open_group(self.path, path=experiment.name, mode="r", use_consolidated=False)
            values, numbers = np.unique(np.asarray(_array(group, "status")[:]), return_counts=True)
            counted[experiment.name] = {Status(int(v)): int(n) for v, n in zip(values, numbers, strict=True)}
        return counted

    def tree(self) -> xr.DataTree:
        """Open the store with xarray, lazily."""
        return xr.open_datatree(self.path, engine="zarr")

    @staticmethod
    def _write_block(group: zarr.Group, name: str, task: Task, values: np.ndarray) -> None:
        _array(group, name)[task.index : task.index + 1, :, task.seed_start : task.seed_stop] = values

    def _chunk_file(self, task: Task, name: str) -> Path:
        """The file of a task's one chunk of a variable; it spans all trailing dimensions."""
        experiment = self.campaign.find(task.experiment)
        trailing = len(variables(experiment.amplitude)[name].dims)
        index = [task.index, 0, task.seed_start // experiment.seeds_per_task, *[0] * trailing]
        return self.path / task.experiment / name / "c" / "/".join(map(str, index))

    def _flush(self, task: Task, names: list[str]) -> None:
        for name in names:
            descriptor = os.open(self._chunk_file(task, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    # -- damage ----------------------------------------------------------------------------------------------------

    def verify(self) -> list[Damage]:
        """Read everything that should be there and list what is not as it was written."""
        damaged = _verify_metadata(self.path)
        broken_metadata = {d.path for d in damaged}
        for task in self.campaign.tasks():
            experiment = self.campaign.find(task.experiment)
            group = zarr.open_group(self.path, path=task.experiment, mode="r", use_consolidated=False)
            names = list(variables(experiment.amplitude))
            names.remove("status")
            status = self._verify_block(group, task, "status", broken_metadata, required=False)
            if isinstance(status, Damage):
                damaged.append(status)
                continue
            # what an unfinished task has left need not be there, but it must not stop others from reading
            done = status is not None and not (status == Status.PENDING).any()
            found = (self._verify_block(group, task, name, broken_metadata, required=done) for name in names)
            damaged.extend(d for d in found if isinstance(d, Damage))
        return damaged

    def _verify_block(
        self, group: zarr.Group, task: Task, name: str, broken: set[str], *, required: bool
    ) -> np.ndarray | Damage | None:
        file = self._chunk_file(task, name)
        shown = str(file.relative_to(self.path))
        if not file.exists():
            return Damage(shown, "is missing although its task is finished", task) if required else None
        if f"{task.experiment}/{name}/zarr.json" in broken:
            return None  # told already; the chunk itself can't be read without it
        try:
            return _block(group, name, task)
        except Exception as error:  # whatever the codecs raise on bytes that are not theirs
            return Damage(shown, f"can't be decoded ({type(error).__name__})", task)

    def repair(self, data: Mapping[str, Data]) -> tuple[Task, ...]:
        """Write damaged metadata anew and mark damaged tasks pending; return those tasks.

        Raises
        ------
        InputError
            If the root's metadata are damaged: then the campaign is not known any more.
        """
        damaged = self.verify()
        if any(d.path == "zarr.json" for d in damaged):
            raise InputError(
                "store", str(self.path), "its root metadata are damaged", "Restore zarr.json from a copy, or start anew"
            )
        with storage(self.path):
            if any(d.task is None for d in damaged):
                attributes = _root_attributes(self.path)
                _write_layout(self.path, self.campaign, data, attributes["device"], attributes)
        tasks = tuple(dict.fromkeys(d.task for d in self.verify() + damaged if d.task is not None))
        for task in tasks:
            with storage(self.path):
                for name in variables(self.campaign.find(task.experiment).amplitude):
                    self._chunk_file(task, name).unlink(missing_ok=True)
            self.mark_pending(task)
        return tasks


# -- layout ------------------------------------------------------------------------------------------------------------


def _write_layout(
    path: Path,
    campaign: Campaign,
    data: Mapping[str, Data],
    device: str,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write all metadata and coordinates; chunks of results that are there stay untouched."""
    if attributes is None:
        attributes = {
            "campaign": campaign.to_dict(),
            "digest": campaign.digest,
            "schema_version": SCHEMA_VERSION,
            "versions": {name: _version(name) for name in _PACKAGES},
            "commit": _commit(),
            "device": device,
            "data": {
                e.name: {"name": e.dataset, "sha256": data[e.name].sha256, "description": data[e.name].description}
                for e in campaign.experiment
            },
        }
    (path / "zarr.json").unlink(missing_ok=True)
    zarr.create_group(path, zarr_format=3)
    for experiment in campaign.experiment:
        _write_group(path, experiment, data[experiment.name], attributes)
    own = {k: v for k, v in attributes.items() if k not in ("manifest", "seal")}
    own["manifest"] = {name: _sha256(path / name) for name in _metadata_files(path, campaign)}
    own["seal"] = _seal(own)
    root = zarr.open_group(path, mode="r+", use_consolidated=False)
    root.attrs.put(own)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path)


def _write_group(path: Path, experiment: Experiment, data: Data, attributes: Mapping[str, Any]) -> None:
    (path / experiment.name / "zarr.json").unlink(missing_ok=True)
    group = zarr.create_group(path, path=experiment.name, zarr_format=3)
    shared = ("schema_version", "versions", "commit", "device")
    group.attrs.put(
        {
            "experiment": experiment.model_dump(mode="json", exclude_none=True),
            "data": attributes["data"][experiment.name],
            "dtype": experiment.dtype,
            **{name: attributes[name] for name in shared},
            **({"coordinates": "root_h_alpha"} if experiment.amplitude == "alpha" else {}),
        }
    )
    sizes = {
        "width": len(experiment.widths),
        experiment.amplitude: len(experiment.amplitudes),
        "seed": experiment.seeds,
        "layer": experiment.layers,
        "test_point": experiment.n_test,
    }
    grid = ("width", experiment.amplitude, "seed")
    for name, variable in variables(experiment.amplitude).items():
        dims = (*grid, *variable.dims)
        shape = tuple(sizes[d] for d in dims)
        chunk = (1, shape[1], experiment.seeds_per_task, *shape[3:])
        about: dict[str, Any] = {"long_name": variable.long_name, "units": "1"}
        if name == "status":
            about["flag_values"] = [int(s) for s in Status]
            about["flag_meanings"] = " ".join(s.name.lower() for s in Status)
        _create(group, name, shape, chunk, dims, variable.dtype, about)
    coordinates: dict[str, tuple[tuple[str, ...], Any, str]] = {
        "width": (("width",), np.array(experiment.widths, dtype="int64"), "neurons per hidden layer, h"),
        "seed": (("seed",), np.arange(experiment.seeds, dtype="int64"), "seed of the initial weights"),
        "layer": (("layer",), np.arange(experiment.layers, dtype="int64"), "weight matrix, 0 next to the input"),
        "test_point": (("test_point",), np.arange(experiment.n_test, dtype="int64"), "test point"),
        "test_label": (("test_point",), data.y_test.astype("int8"), "label of the test point, ±1"),
        experiment.amplitude: (
            (experiment.amplitude,),
            experiment.amplitudes,
            "sqrt(h)·alpha" if experiment.amplitude == "root_h_alpha" else "output scale, article convention",
        ),
    }
    if experiment.amplitude == "alpha":
        rows = np.stack([experiment.root_h_alphas(width) for width in experiment.widths])
        coordinates["root_h_alpha"] = (("width", "alpha"), rows, "sqrt(h)·alpha")
    for name, (dims, values, long_name) in coordinates.items():
        array = _create(
            group, name, values.shape, values.shape, dims, values.dtype, {"long_name": long_name, "units": "1"}
        )
        array[...] = values


def _create(group, name, shape, chunk, dims, dtype, attributes):
    # written anew where it was damaged; zarr would delete the results with an "overwrite"
    Path(group.store.root, group.path, name, "zarr.json").unlink(missing_ok=True)
    return group.create_array(
        name,
        shape=shape,
        chunks=chunk,
        dtype=dtype,
        fill_value=_FILL.get(str(dtype), 0),
        serializer=BytesCodec(),
        compressors=[ZstdCodec(level=3), Crc32cCodec()],
        dimension_names=dims,
        attributes=attributes,
        config={"write_empty_chunks": True},
    )


def _metadata_files(path: Path, campaign: Campaign) -> list[str]:
    files = []
    for experiment in campaign.experiment:
        group = path / experiment.name
        files.append(f"{experiment.name}/zarr.json")
        results = variables(experiment.amplitude)
        for folder in sorted(p for p in group.iterdir() if p.is_dir()):
            files.append(f"{experiment.name}/{folder.name}/zarr.json")
            if folder.name not in results:
                files.extend(str(f.relative_to(path)) for f in sorted((folder / "c").rglob("*")) if f.is_file())
    return files


def _array(group: zarr.Group, name: str) -> zarr.Array:
    found = group[name]
    assert isinstance(found, zarr.Array)  # of the layout that this module writes
    return found


def _block(group: zarr.Group, name: str, task: Task) -> np.ndarray:
    return np.asarray(_array(group, name)[task.index, :, task.seed_start : task.seed_stop])


def _root_attributes(path: Path) -> dict[str, Any]:
    file = path / "zarr.json"
    remedy = "Give the path of a store that python -m simulate has written"
    if not file.is_file():
        problem = "is not a store" if path.exists() else "no such store"
        raise InputError("store", str(path), problem, remedy)
    try:
        attributes = json.loads(file.read_text(encoding="utf-8"))["attributes"]
        attributes["manifest"], attributes["campaign"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "store", str(path), "is not a store of lazyrich, or its zarr.json is damaged", remedy
        ) from None
    return attributes


def _verify_metadata(path: Path) -> list[Damage]:
    root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    attributes = root["attributes"]
    damaged = []
    sealed = {k: v for k, v in attributes.items() if k != "seal"}
    if attributes.get("seal") != _seal(sealed):
        damaged.append(Damage("zarr.json", "is not as it was written"))
    for name, digest in attributes["manifest"].items():
        file = path / name
        if not file.is_file():
            damaged.append(Damage(name, "is missing"))
        elif _sha256(file) != digest:
            damaged.append(Damage(name, "is not as it was written"))
        elif name.endswith("zarr.json"):
            consolidated = root.get("consolidated_metadata", {}).get("metadata", {}).get(str(Path(name).parent))
            own = json.loads(file.read_text(encoding="utf-8"))
            if consolidated is None or any(consolidated.get(k) != v for k, v in own.items()):
                damaged.append(Damage("zarr.json", f"its copy of {name} is not as it was written"))
    return damaged


def _seal(attributes: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(attributes, sort_keys=True).encode()).hexdigest()


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _first_difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(k for k in new if k not in old)]:
            found = _first_difference(old.get(key), new.get(key), f"{path}.{key}" if path else key)
            if found is not None:
                return found
        return None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            found = _first_difference(a, b, f"{path}[{i}]")
            if found is not None:
                return found
        return None
    return None if old == new else (path, old, new)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that this code runs from, "+dirty" if it was changed; None outside one."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", here, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        tracked = git("ls-files", "--error-unmatch", Path(__file__).name)
        head, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return (head + ("+dirty" if changes else "")) if tracked else None
