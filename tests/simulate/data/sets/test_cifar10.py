"""CIFAR-10 as one archive: training before test images, classes by rank, and whether it is the whole set."""

import numpy as np

from simulate.data.sets.cifar10 import cifar10


def test_an_archive_is_read_in_place_of_torchvisions_files(tmp_path):
    (tmp_path / "cifar10").mkdir()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    labels = np.array([3, 0, 3, 9, 0, 9])
    train = {"x_train": images[:4], "y_train": labels[:4]}
    np.savez(tmp_path / "cifar10" / "cifar10.npz", **train, x_test=images[4:], y_test=labels[4:])
    pool = cifar10(str(tmp_path), False)
    np.testing.assert_array_equal(pool.x, images)
    assert pool.classes.tolist() == [1, 0, 1, 2, 0, 2]
    assert "4 + 2 images of 50,000 + 10,000: a part" in pool.description
