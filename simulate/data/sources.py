"""Where points come from: named data sets, a file of `simulate.data.sets` each, and npz files."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import simulate.data.sets
from lazyrich.discovery import import_all
from lazyrich.errors import InputError
from simulate.data.synthetic import RULES


@dataclass(frozen=True)
class Pool:
    """All points of a data set, their classes 0, 1, ..., and what it is.

    ``x`` has any numeric dtype and shape (n, d), or (n, height, width) or (n, height, width, channels) for images.
    """

    x: np.ndarray
    classes: np.ndarray
    description: str


#: of (data_root or None, whether to download) to all points
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
    known = sources().get(dataset)
    return None if known is None else known.shape


def _npz(path: str) -> Pool:
    x_train, y_train, x_test, y_test = read_npz(Path(path))
    x, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    # labels that are ±1 already are kept: +1 is class 0
    classes = (labels < 0).astype(np.int64) if set(np.unique(labels)) <= {-1, 1} else class_indices(labels)
    return Pool(x, classes, f"{len(x_train)} + {len(x_test)} points of {Path(path).name}")


def pool(dataset: str, data_root: str | Path | None, download: bool) -> Pool:
    """Read all points of a data set.

    Raises
    ------
    InputError
        If there is no such data set, or its files are missing or broken.
    """
    if dataset.endswith(".npz"):
        return _npz(dataset)
    known = sources()
    if dataset not in known:
        told = ", ".join([*known, *RULES])
        raise InputError("dataset", dataset, "no such data set", f"Use one of {told}, or the path of an npz file")
    root = data_root or os.environ.get("LAZYRICH_DATA")
    return known[dataset].read(str(root) if root else None, download)


def no_root(name: str) -> InputError:
    """Return the error that a data set needs a folder to be read from."""
    return InputError(
        "data_root",
        None,
        f"{name} is read from a folder, and none was given",
        "Give --data-root DIR or set LAZYRICH_DATA (with --download it is filled)",
    )


def class_indices(labels: np.ndarray) -> np.ndarray:
    """Number the classes 0, 1, ... in the order of their labels."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def read_npz(path: Path) -> tuple[np.ndarray, ...]:
    """Return x_train, y_train, x_test, y_test of an npz file, checked."""
    names = ("x_train", "y_train", "x_test", "y_test")
    remedy = f"Give an npz file with {', '.join(names)}"

    def refuse(problem: str) -> InputError:
        return InputError("dataset", str(path), problem, remedy)

    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in names if name not in archive.files]
            if missing:
                raise refuse(f"has no array {missing[0]}")
            arrays = tuple(archive[name] for name in names)
    except FileNotFoundError:
        raise refuse("no such file") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise refuse(f"can't be read ({error})") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise refuse(f"can't be read ({error})") from None
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise refuse(f"{name} is not an array of finite numbers")
    for x, y, part in ((arrays[0], arrays[1], "train"), (arrays[2], arrays[3], "test")):
        if x.ndim < 2 or y.shape != (len(x),):
            raise refuse(f"x_{part} must be (n, ...) and y_{part} (n,), not {x.shape} and {y.shape}")
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise refuse("x_train and x_test have points of different shapes")
    if len(np.unique(np.concatenate([arrays[1], arrays[3]]))) < 2:
        raise refuse("all labels are the same")
    return arrays
