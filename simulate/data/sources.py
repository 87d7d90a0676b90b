"""Where points come from: named data sets, a file of `simulate.data.sets` each, and npz files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import simulate.data.sets
from lazyrich.discovery import import_all
from lazyrich.errors import InputError
from simulate.data.labels import class_numbers
from simulate.data.npz import read_npz
from simulate.data.synthetic import RULES


@dataclass(frozen=True)
class Pool:
    """All points of a data set, and what it is in words.

    ``x`` has any numeric dtype and shape (n, d), or (n, height, width) or (n, height, width, channels) for images.
    ``classes`` (n,) are int64: a point's label is the parity of its class (`simulate.data.labels`).
    """

    x: np.ndarray
    classes: np.ndarray
    description: str


#: reads all points, given the data root (or None) and whether to download what is missing
Reader = Callable[[str | None, bool], Pool]


@dataclass(frozen=True)
class Source:
    """A named data set: how it is read, and the shape of a point.

    The shape is (height, width, channels) of images, (d,) of anything else.
    """

    read: Reader
    shape: tuple[int, ...]


_sources: dict[str, Source] = {}


def source(name: str, *, shape: tuple[int, ...]) -> Callable[[Reader], Reader]:
    """Give a reader's data set a name: a decorator."""

    def register(read: Reader) -> Reader:
        _sources[name] = Source(read, shape)
        return read

    return register


def sources() -> dict[str, Source]:
    """Return the named data sets."""
    import_all(simulate.data.sets)
    return _sources


def shape_of(dataset: str) -> tuple[int, ...] | None:
    """Return the shape of a point of a named data set; None for a file, which has to be read for it."""
    named = sources().get(dataset)
    return None if named is None else named.shape


def _read_file(path: str) -> Pool:
    """Read all points of a user's npz file."""
    x_train, y_train, x_test, y_test = read_npz(Path(path))
    x, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    classes = class_numbers(labels, path)
    description = f"{len(x_train)} + {len(x_test)} points of {Path(path).name}"
    if set(np.unique(labels).tolist()) != {-1, 1}:
        description += f", labels the parity of {len(np.unique(classes))} classes"
    return Pool(x, classes, description)


def read_pool(dataset: str, data_root: str | Path | None, download: bool) -> Pool:
    """Read all points of a data set.

    Raises
    ------
    InputError
        If there is no such data set, or its files are missing or broken.
    """
    if dataset.lower().endswith(".npz"):
        return _read_file(dataset)
    named = sources()
    if dataset not in named:
        names = ", ".join([*named, *RULES])
        raise InputError("dataset", dataset, "no such data set", f"Use one of {names}, or the path of an npz file")
    root = data_root or os.environ.get("LAZYRICH_DATA")
    return named[dataset].read(str(root) if root else None, download)


def data_folder(root: str | None, name: str, download: bool) -> Path:
    """Return the folder that a data set is read from; with ``download`` it is made.

    Raises
    ------
    InputError
        If none was given, or there is none.
    """
    if root is None:
        problem = f"{name} is read from a folder, and none was given"
        remedy = "Give --data-root DIR or set LAZYRICH_DATA (with --download it is filled)"
        raise InputError("data_root", None, problem, remedy)
    remedy = "Point --data-root or LAZYRICH_DATA at the folder that has it"
    if download:
        try:
            os.makedirs(root, exist_ok=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError("data_root", root, f"no folder can be made there ({reason})", remedy) from None
    if not os.path.isdir(root):
        raise InputError("data_root", root, "there is no such folder", f"{remedy}, or add --download")
    return Path(root)
