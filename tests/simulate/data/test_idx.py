"""IDX files are read whole or not at all."""

import gzip

import numpy as np
import pytest

from simulate.data.idx import BrokenIdxFile, read_idx

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def content(array, code):
    header = bytes([0, 0, code, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_arrays_of_every_type_come_back(tmp_path, dtype, name):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    written = content(array, CODES[dtype])
    (tmp_path / name).write_bytes(gzip.compress(written) if name.endswith("gz") else written)
    np.testing.assert_array_equal(read_idx(tmp_path / name), array)


@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_a_header_of_absurd_size_is_not_believed(tmp_path, name):
    written = bytes([0, 0, 14, 3]) + b"\xff" * 12 + b"0" * 100
    (tmp_path / name).write_bytes(gzip.compress(written) if name.endswith("gz") else written)
    with pytest.raises(BrokenIdxFile, match="cut short" if name == "file" else "no more than 4,294,967,296 are read"):
        read_idx(tmp_path / name)


def test_no_more_of_a_packed_file_is_unpacked_than_its_header_says(tmp_path):
    """A gigabyte of zeros behind sixteen bytes: unpacking it would take seconds and a gigabyte."""
    blocks = gzip.compress(content(np.zeros((2, 2, 4), "u1"), 8)) + gzip.compress(b"\0" * 2**20) * 1000
    (tmp_path / "file.gz").write_bytes(blocks)
    with pytest.raises(BrokenIdxFile, match="longer than its header says: more than 32 bytes"):
        read_idx(tmp_path / "file.gz")
