"""Read a user's npz file: four arrays, checked by what they declare before they are read."""

from __future__ import annotations

import math
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.lib import format as npy

from lazyrich.errors import InputError

NAMES = ("x_train", "y_train", "x_test", "y_test")

_LARGEST = 2**33  # bytes of all four arrays together
_MOST_ARRAYS = 1000  # that a file may hold beside them


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x_train (n, ...), y_train (n,), x_test (m, ...), y_test (m,) of an npz file: finite numbers or booleans.

    Raises
    ------
    InputError
        If the file can't be read, lacks an array, is too large, or its arrays don't fit together.
    """
    arrays = read_arrays(path, NAMES, refuse=_refusal)
    x_train, y_train, x_test, y_test = (arrays[name] for name in NAMES)
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise _refusal(path, f"{name} is not an array of finite numbers")
    for x, y, part in ((x_train, y_train, "train"), (x_test, y_test, "test")):
        if x.ndim < 2 or y.shape != (len(x),):
            problem = f"x_{part} must be (n, ...) and y_{part} (n,), not {x.shape} and {y.shape}"
            raise _refusal(path, problem, "Give a label for each point: of one-hot rows y.argmax(axis=1)")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise _refusal(path, f"x_train and x_test have points of different shapes, {x_train.shape} and {x_test.shape}")
    if math.prod(x_train.shape[1:]) == 0 or len(x_train) + len(x_test) == 0:
        raise _refusal(path, f"it has no points: x_train has shape {x_train.shape}, x_test {x_test.shape}")
    return x_train, y_train, x_test, y_test


class Refuse(Protocol):
    """Makes the error about a file: what is wrong with it, and what to do if not the usual."""

    def __call__(self, path: Path, problem: str, remedy: str | None = None) -> InputError:
        """Return the error."""


def read_arrays(
    path: Path, names: Sequence[str], optional: Sequence[str] = (), *, refuse: Refuse
) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file with these names, those that are ``optional`` if they are there.

    They are looked at before they are read: what is no file, declares more than 8 GiB, or is shorter than it says.

    Raises
    ------
    InputError
        As ``refuse`` makes it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # folders, pipes and devices can't be read to an end
            raise refuse(path, "is not a file")
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise refuse(path, "holds one array; arrays with names are needed")
        with zipfile.ZipFile(path) as archive:
            chosen = _checked_contents(archive, path, names, optional, refuse)
            return {name: _array(archive, name, path, refuse) for name in chosen}
    except InputError:
        raise
    except FileNotFoundError:
        raise refuse(path, "no such file") from None
    except MemoryError:
        raise refuse(path, "is too large for this machine's memory", "Give fewer points") from None
    except Exception as error:  # whatever zipfile, a decompressor or numpy makes of bytes that are no array
        text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        reason = text.splitlines()[0][:200].rstrip(".")
        raise refuse(path, f"can't be read ({reason})") from None


def _checked_contents(
    archive: zipfile.ZipFile, path: Path, names: Sequence[str], optional: Sequence[str], refuse: Refuse
) -> list[str]:
    """Return which arrays are to be read; refuse by the archive's table of contents what takes too much memory."""
    present = archive.namelist()
    if len(present) > _MOST_ARRAYS:
        problem = f"holds {len(present):,} arrays, and no more than {_MOST_ARRAYS:,} are looked through"
        raise refuse(path, problem, f"Save {', '.join(names)} alone")
    for name in names:
        if f"{name}.npy" not in present:
            others = ", ".join(array.removesuffix(".npy") for array in present[:8])
            raise refuse(path, f"has no array {name}, but {_short(others)}" if others else f"has no array {name}")
    chosen = [*names, *(name for name in optional if f"{name}.npy" in present)]
    declared = sum(archive.getinfo(f"{name}.npy").file_size for name in chosen)
    if declared > _LARGEST:
        problem = f"its arrays take {declared / 2**30:.1f} GiB, and at most {_LARGEST / 2**30:.0f} GiB are read"
        raise refuse(path, problem, "Give fewer points, or a smaller dtype")
    return chosen


def _array(archive: zipfile.ZipFile, name: str, path: Path, refuse: Refuse) -> np.ndarray:
    """Read one array, if the shape in its header is that of the bytes that follow."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
        declared, present = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
    if dtype.hasobject:
        raise refuse(path, f"{name} can't be read (it holds Python objects)")
    if declared != present or min(shape, default=0) < 0:
        raise refuse(path, f"{name} has shape {_short(shape)} by its header and {present:,} bytes")
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 60 else text[:60] + "…"


def _refusal(path: Path, problem: str, remedy: str | None = None) -> InputError:
    return InputError("dataset", str(path), problem, remedy or f"Give an npz file with {', '.join(NAMES)}")
