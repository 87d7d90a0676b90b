"""scikit-learn's digits, which come with it."""

from __future__ import annotations

from sklearn.datasets import load_digits

from simulate.data.sources import Pool, source


@source("digits", shape=(8, 8, 1))
def read_digits(root: str | None, download: bool) -> Pool:
    """Read 1,797 images of 8x8 pixels."""
    digits = load_digits()
    return Pool(digits.images, digits.target, f"{len(digits.images)} digits of 8x8 pixels (scikit-learn)")
