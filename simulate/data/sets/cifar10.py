"""CIFAR-10."""

from __future__ import annotations

import os

import numpy as np

from simulate.data.image_files import image_counts, image_set_reader
from simulate.data.labels import class_ranks
from simulate.data.npz import read_npz
from simulate.data.sources import Pool, data_folder, source


@source("cifar10", shape=(32, 32, 3))
def cifar10(root: str | None, download: bool) -> Pool:
    """CIFAR-10 as torchvision stores it, or as ``cifar10/cifar10.npz`` (x_train, y_train, x_test, y_test)."""
    archive = data_folder(root, "cifar10", download) / "cifar10" / "cifar10.npz"
    if os.path.exists(archive):
        x_train, y_train, x_test, y_test = read_npz(archive)
        description = image_counts("CIFAR10", [len(x_train), len(x_test)], (50_000, 10_000))
        return Pool(np.concatenate([x_train, x_test]), class_ranks(np.concatenate([y_train, y_test])), description)
    return image_set_reader("CIFAR10", (50_000, 10_000))(root, download)
