"""Read a user's npz file: four arrays, checked by what they declare before they are read."""

from __future__ import annotations

import math
import stat
import zipfile
from pathlib import Path

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
    try:
        _check_regular(path)
        with zipfile.ZipFile(path) as archive:
            _check_contents(archive, path)
            arrays = [_array(archive, name, path) for name in NAMES]
    except InputError:
        raise
    except FileNotFoundError:
        raise _refusal(path, "no such file") from None
    except MemoryError:
        raise _refusal(path, "is too large for this machine's memory", "Give fewer points") from None
    except Exception as error:  # whatever zipfile, a decompressor or numpy makes of bytes that are no array
        text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        reason = text.splitlines()[0][:200].rstrip(".")
        raise _refusal(path, f"can't be read ({reason})") from None
    x_train, y_train, x_test, y_test = arrays
    for name, array in zip(NAMES, arrays, strict=True):
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


def _check_regular(path: Path) -> None:
    """Refuse folders, pipes and devices, which can't be read to an end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise _refusal(path, "is not a file")


def _check_contents(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse by the archive's table of contents what lacks an array or would take too much memory."""
    names = archive.namelist()
    if len(names) > _MOST_ARRAYS:
        problem = f"holds {len(names):,} arrays, and no more than {_MOST_ARRAYS:,} are looked through"
        raise _refusal(path, problem, f"Save {', '.join(NAMES)} alone")
    for name in NAMES:
        if f"{name}.npy" not in names:
            raise _refusal(path, f"has no array {name}")
    declared = sum(archive.getinfo(f"{name}.npy").file_size for name in NAMES)
    if declared > _LARGEST:
        problem = f"its arrays take {declared / 2**30:.1f} GiB, and at most {_LARGEST / 2**30:.0f} GiB are read"
        raise _refusal(path, problem, "Give fewer points, or a smaller dtype")


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    """Read one array, if the shape in its header is that of the bytes that follow."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
        declared, present = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
    if dtype.hasobject:
        raise _refusal(path, f"{name} can't be read (it holds Python objects)")
    if declared != present or min(shape, default=0) < 0:
        raise _refusal(path, f"{name} has shape {_short(shape)} by its header and {present:,} bytes")
    with archive.open(member) as file:
        return npy.read_array(file, allow_pickle=False)


def _short(shape: tuple[int, ...]) -> str:
    text = str(shape)
    return text if len(text) < 60 else text[:60] + "…"


def _refusal(path: Path, problem: str, remedy: str | None = None) -> InputError:
    return InputError("dataset", str(path), problem, remedy or f"Give an npz file with {', '.join(NAMES)}")
