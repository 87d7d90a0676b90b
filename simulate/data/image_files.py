"""Readers of torchvision's image sets, which say what is missing, broken, or a part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lazyrich.errors import InputError
from simulate.data.idx import incomplete
from simulate.data.sources import Pool, class_indices, no_root
from simulate.data.torchvision_compat import torchvision_datasets


def reader(cls: str, full: tuple[int, int], idx: str | None = None, **options) -> Callable[..., Pool]:
    """Return a reader of torchvision's class ``cls``; ``idx`` is the pattern of its IDX files, if it has such."""

    def read(root: str | None, download: bool) -> Pool:
        if root is None:
            raise no_root(cls)
        constructor = getattr(torchvision_datasets(), cls)
        parts = []
        try:
            if idx is not None:
                _check_files(Path(root, cls, "raw"), idx, download)
            for train in (True, False):
                parts.append(constructor(root, train=train, download=download, **options))
        except InputError:
            raise
        except (RuntimeError, ValueError, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(". ")
            raise InputError(
                "data_root",
                root,
                f"{cls} can't be read there ({reason})",
                "Point --data-root or LAZYRICH_DATA at a folder that has it, or add --download",
            ) from None
        for part in parts:
            if len(part.data) != len(part.targets):
                problem = f"{cls} has {len(part.data):,} images and {len(part.targets):,} labels there"
                raise InputError("data_root", root, problem, "Put matching files there")
        x = np.concatenate([np.asarray(part.data) for part in parts])
        labels = np.concatenate([np.asarray(part.targets) for part in parts])
        return Pool(x, class_indices(labels), counts(cls, [len(part) for part in parts], full))

    return read


def _check_files(folder: Path, pattern: str, download: bool) -> None:
    """Refuse files that are not whole, or clear them away where they may be fetched again."""
    for path, problem in incomplete(folder, pattern).items():
        if not download:
            raise InputError(
                "data_root",
                str(path),
                problem,
                "Add --download to fetch it again, or put the whole file there",
            )
        path.unlink()


def counts(name: str, found: list[int], full: tuple[int, int]) -> str:
    """Say how many images were found, and whether that is the whole set."""
    text = f"{name}: {found[0]:,} + {found[1]:,} images"
    if tuple(found) == full:
        return text + " (complete)"
    return text + f" of {full[0]:,} + {full[1]:,}: a part, not comparable with results on the whole set"
