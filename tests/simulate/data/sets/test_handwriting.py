"""MNIST and its relatives are read from the files that torchvision's layout has for each."""

import numpy as np
import pytest

import simulate.data.sets.handwriting  # noqa: F401
from simulate.data.sources import read_pool, shape_of

FILES = {
    "mnist": ("MNIST", "train", "t10k"),
    "fashion_mnist": ("FashionMNIST", "train", "t10k"),
    "emnist_letters": ("EMNIST", "emnist-letters-train", "emnist-letters-test"),
}


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


@pytest.mark.parametrize("name", FILES)
def test_each_set_has_its_folder_and_files(name, tmp_path):
    folder, *parts = FILES[name]
    raw = tmp_path / folder / "raw"
    raw.mkdir(parents=True)
    images = np.arange(4 * 784).reshape(4, 28, 28) % 251
    for part, rows in zip(parts, (slice(3), slice(3, 4)), strict=True):
        write_idx(raw / f"{part}-images-idx3-ubyte", images[rows])
        write_idx(raw / f"{part}-labels-idx1-ubyte", np.array([7, 2, 7, 2])[rows])
    pool = read_pool(name, str(tmp_path), False)
    np.testing.assert_array_equal(pool.x, images)
    assert pool.classes.tolist() == [1, 0, 1, 0]
    assert (*pool.x.shape[1:], 1) == shape_of(name)
    assert pool.description.startswith(f"{folder}: 3 + 1 images of ")
