"""Read IDX files, the format of MNIST and its relatives, plain or packed by gzip; say what is wrong with broken ones.

A file's header says how long it must be. An interrupted download or extraction leaves a file that is cut short. A file
that holds fewer items than the published one, but as many as its header says, is whole, and read.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO

import numpy as np

#: type code of the header -> type of a value
_DTYPES = {
    code: np.dtype(name) for code, name in ((8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8"))
}
_LARGEST = 2**32  # bytes that are read at most: sixty times the largest file of these data sets


class BrokenIdxFile(Exception):
    """A file that is not a whole IDX file; the message is a clause that says why."""


def read_idx(path: Path) -> np.ndarray:
    """Return the array of an IDX file; one whose name ends in ``.gz`` is unpacked.

    Raises
    ------
    BrokenIdxFile
        If it is no IDX file, cut short, or longer than its header says.
    OSError
        If it can't be read.
    """
    if path.suffix != ".gz":
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    try:
        with gzip.open(path, "rb") as file:
            return _read(file, None)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        reason = str(error).rstrip(".")
        raise BrokenIdxFile(f"is not a whole gzip file ({reason})") from None


def _read(file: IO[bytes] | gzip.GzipFile, size: int | None) -> np.ndarray:
    """Read an open file; ``size`` in bytes is None where it is not known beforehand."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _DTYPES:
        raise BrokenIdxFile("is not an IDX file")
    dtype, sizes = _DTYPES[start[2]], file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise BrokenIdxFile(f"is cut short: its header ends after {len(start) + len(sizes)} bytes")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    header, values = 4 + len(sizes), dtype.itemsize * math.prod(shape)
    if size is not None:
        _check_length(size, header + values)
    if values > _LARGEST:
        raise BrokenIdxFile(f"holds {values:,} bytes by its header, and no more than {_LARGEST:,} are read")
    content = file.read(values + 1)  # one more tells whether the file goes on
    if len(content) > values:
        raise BrokenIdxFile(f"is longer than its header says: more than {header + values:,} bytes")
    _check_length(header + len(content), header + values)
    return np.frombuffer(content, dtype).reshape(shape)


def _check_length(size: int, expected: int) -> None:
    if size < expected:
        raise BrokenIdxFile(f"is cut short: {size:,} of {expected:,} bytes")
    if size > expected:
        raise BrokenIdxFile(f"is longer than its header says: {size:,} bytes, not {expected:,}")
