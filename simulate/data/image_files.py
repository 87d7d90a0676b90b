"""Readers of torchvision's image sets, which say what is missing, broken, or a part."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lazyrich.errors import InputError
from simulate.data.idx import BrokenIdxFile, read_idx
from simulate.data.labels import class_ranks
from simulate.data.sources import Pool, data_folder
from simulate.data.torchvision_compat import torchvision_datasets


def image_set_reader(
    cls: str, published: tuple[int, int], idx_parts: tuple[str, str] | None = None, **options
) -> Callable[..., Pool]:
    """Return a reader of torchvision's class ``cls``.

    Parameters
    ----------
    published : (int, int)
        How many training and test images the whole set has.
    idx_parts : (str, str), optional
        How the names of its IDX files begin, if it has such: training and test set. They are read here, plain or as
        ``.gz``; torchvision fetches what is missing.
    options
        Of torchvision's constructor.
    """

    def read(root: str | None, download: bool) -> Pool:
        folder = data_folder(root, cls, download)
        parts = None
        if idx_parts is not None:
            parts = _read_idx_parts(folder / cls / "raw", idx_parts, download)
        if parts is None:
            parts = _read_by_torchvision(cls, str(folder), download, options)
        for images, labels in parts:
            if len(images) != len(labels):
                problem = f"{cls} has {len(images):,} images and {len(labels):,} labels there"
                raise InputError("data_root", str(folder), problem, "Put matching files there")
        x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return Pool(x, class_ranks(y), image_counts(cls, [len(images) for images, _ in parts], published))

    return read


def _read_idx_parts(
    folder: Path, prefixes: Sequence[str], download: bool
) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Return images and labels of each part; None if a file is missing.

    Broken files are refused, or removed where they may be fetched again.
    """
    arrays, complete = [], True
    for prefix in prefixes:
        for suffix, dimensions in (("images-idx3-ubyte", 3), ("labels-idx1-ubyte", 1)):
            plain = folder / f"{prefix}-{suffix}"
            path = next((p for p in (plain, plain.with_name(f"{plain.name}.gz")) if os.path.isfile(p)), None)
            if path is None:
                complete = False
                continue
            try:
                arrays.append(read_idx(path))
                if arrays[-1].ndim != dimensions:
                    raise BrokenIdxFile(f"holds an array of {arrays[-1].ndim} dimensions, not {dimensions}")
            except (BrokenIdxFile, OSError) as error:
                if not download:
                    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                    problem = reason if isinstance(error, BrokenIdxFile) else f"can't be read ({reason})"
                    remedy = "Add --download to fetch it again, or put the whole file there"
                    raise InputError("data_root", str(path), problem, remedy) from None
                path.unlink()
                complete = False
    return list(zip(arrays[::2], arrays[1::2], strict=True)) if complete else None


def _read_by_torchvision(cls: str, root: str, download: bool, options: dict) -> list[tuple[np.ndarray, np.ndarray]]:
    try:
        constructor = getattr(torchvision_datasets(), cls)
        parts = [constructor(root, train=train, download=download, **options) for train in (True, False)]
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(". ")
        raise InputError(
            "data_root",
            root,
            f"{cls} can't be read there ({reason})",
            "Point --data-root or LAZYRICH_DATA at a folder that has it, or add --download",
        ) from None
    return [(np.asarray(part.data), np.asarray(part.targets)) for part in parts]


def image_counts(name: str, counts: Sequence[int], published: tuple[int, int]) -> str:
    """Say how many images there are, and whether that is the whole set."""
    text = f"{name}: {counts[0]:,} + {counts[1]:,} images"
    if tuple(counts) == published:
        return text + " (complete)"
    return text + f" of {published[0]:,} + {published[1]:,}: a part, not comparable with results on the whole set"
