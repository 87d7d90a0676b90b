"""How many variables a netCDF file has, from its header alone."""

from __future__ import annotations

import gzip
import io
import itertools
import struct
from pathlib import Path

import h5py

_HDF5 = b"\x89HDF\r\n\x1a\n"  #: what netCDF-4 files begin with
_CLASSIC = (b"CDF\x01", b"CDF\x02")  #: netCDF-3, with 32 or 64 bits for positions
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8}  #: bytes of a value by its type: byte, char, short, int, float, double


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, as netCDF-4 files are, which may have groups."""
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5


def count_variables(path: Path, most: int) -> int:
    """Return how many variables and groups a file has, ``most`` + 1 if there are more; 0 in any other format."""
    if is_hdf5(path):
        with h5py.File(path) as contents:
            numbers = itertools.count(1)
            contents.visit(lambda name: True if next(numbers) > most else None)
            return next(numbers) - 1
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        try:
            return min(_count_classic(file), most + 1)
        except (struct.error, KeyError, OSError, EOFError):
            return 0  # cut or harmed: told by who reads it


def _count_classic(file: io.BufferedIOBase) -> int:
    """Return the length of the list of variables, which follows those of dimensions and of attributes."""
    if file.read(4) not in _CLASSIC:
        return 0
    _integer(file)  # records
    for _ in range(_length_of_list(file)):
        _skip(file, _integer(file))
        _integer(file)
    for _ in range(_length_of_list(file)):
        _skip(file, _integer(file))
        size = _SIZES[_integer(file)]
        _skip(file, size * _integer(file))
    return _length_of_list(file)


def _length_of_list(file: io.BufferedIOBase) -> int:
    _integer(file)  # which list it is
    return _integer(file)


def _integer(file: io.BufferedIOBase) -> int:
    return int(struct.unpack(">I", file.read(4))[0])


def _skip(file: io.BufferedIOBase, size: int) -> None:
    file.seek(size + -size % 4, 1)
