"""MNIST and its relatives, in torchvision's layout."""

from __future__ import annotations

from simulate.data.image_files import reader
from simulate.data.sources import source

_SHAPE = (28, 28, 1)

source("mnist", shape=_SHAPE)(reader("MNIST", (60_000, 10_000), "*-idx?-ubyte"))
source("fashion_mnist", shape=_SHAPE)(reader("FashionMNIST", (60_000, 10_000), "*-idx?-ubyte"))
source("emnist_letters", shape=_SHAPE)(
    reader("EMNIST", (124_800, 20_800), "emnist-letters-*-idx?-ubyte", split="letters")
)
