"""MNIST and its relatives, in torchvision's layout."""

from __future__ import annotations

from simulate.data.image_files import image_set_reader
from simulate.data.sources import source

_SHAPE = (28, 28, 1)
_PARTS = ("train", "t10k")

source("mnist", shape=_SHAPE)(image_set_reader("MNIST", (60_000, 10_000), _PARTS))
source("fashion_mnist", shape=_SHAPE)(image_set_reader("FashionMNIST", (60_000, 10_000), _PARTS))
source("emnist_letters", shape=_SHAPE)(
    image_set_reader("EMNIST", (124_800, 20_800), ("emnist-letters-train", "emnist-letters-test"), split="letters")
)
