"""Where points come from: scikit-learn's digits, torchvision's image sets, npz files; each a `Pool` of all points."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from simulate.data.idx import incomplete
from simulate.data.synthetic import RULES
from simulate.data.torchvision_compat import torchvision_datasets
from theory import InputError


@dataclass(frozen=True)
class Pool:
    """All points of a data set, their classes 0, 1, ..., and what it is.

    ``x`` has any numeric dtype and shape (n, d), or (n, height, width) or (n, height, width, channels) for images.
    """

    x: np.ndarray
    classes: np.ndarray
    description: str


def _digits(root: str | None, download: bool) -> Pool:
    digits = load_digits()
    x, y = digits.images, digits.target
    return Pool(x, y, f"{len(x)} digits of 8x8 pixels (scikit-learn)")


def _torchvision(cls: str, full: tuple[int, int], idx: str | None = None, **options) -> Callable[..., Pool]:
    """Return a reader of torchvision's class ``cls``; ``idx`` is the pattern of its IDX files, if it has such."""

    def read(root: str | None, download: bool) -> Pool:
        if root is None:
            raise _no_root(cls)
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
        return Pool(x, _class_indices(labels), _counts(cls, [len(part) for part in parts], full))

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


def _cifar10(root: str | None, download: bool) -> Pool:
    """CIFAR-10 as torchvision stores it, or as ``cifar10/cifar10.npz`` (x_train, y_train, x_test, y_test)."""
    if root is None:
        raise _no_root("cifar10")
    archive = Path(root, "cifar10", "cifar10.npz")
    if archive.exists():
        x_train, y_train, x_test, y_test = _read_npz(archive)
        counts = _counts("CIFAR10", [len(x_train), len(x_test)], (50_000, 10_000))
        return Pool(np.concatenate([x_train, x_test]), _class_indices(np.concatenate([y_train, y_test])), counts)
    return _torchvision("CIFAR10", (50_000, 10_000))(root, download)


def _npz(path: str) -> Pool:
    x_train, y_train, x_test, y_test = _read_npz(Path(path))
    x, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    # labels that are ±1 already are kept: +1 is class 0
    classes = (labels < 0).astype(np.int64) if set(np.unique(labels)) <= {-1, 1} else _class_indices(labels)
    return Pool(x, classes, f"{len(x_train)} + {len(x_test)} points of {Path(path).name}")


#: name -> shape of a point: (height, width, channels) of images, (d,) of anything else
SHAPES: dict[str, tuple[int, ...]] = {
    "digits": (8, 8, 1),
    "mnist": (28, 28, 1),
    "fashion_mnist": (28, 28, 1),
    "emnist_letters": (28, 28, 1),
    "cifar10": (32, 32, 3),
}

#: name -> reader: of (data_root or None, whether to download) to all points
_SOURCES: dict[str, Callable[[str | None, bool], Pool]] = {
    "digits": _digits,
    "mnist": _torchvision("MNIST", (60_000, 10_000), "*-idx?-ubyte"),
    "fashion_mnist": _torchvision("FashionMNIST", (60_000, 10_000), "*-idx?-ubyte"),
    "emnist_letters": _torchvision("EMNIST", (124_800, 20_800), "emnist-letters-*-idx?-ubyte", split="letters"),
    "cifar10": _cifar10,
}


def pool(dataset: str, data_root: str | Path | None, download: bool) -> Pool:
    """Read all points of a data set.

    Raises
    ------
    InputError
        If there is no such data set, or its files are missing or broken.
    """
    if dataset.endswith(".npz"):
        return _npz(dataset)
    if dataset not in _SOURCES:
        known = ", ".join([*_SOURCES, *RULES])
        raise InputError("dataset", dataset, "no such data set", f"Use one of {known}, or the path of an npz file")
    root = data_root or os.environ.get("LAZYRICH_DATA")
    return _SOURCES[dataset](str(root) if root else None, download)


def _no_root(name: str) -> InputError:
    return InputError(
        "data_root",
        None,
        f"{name} is read from a folder, and none was given",
        "Give --data-root DIR or set LAZYRICH_DATA (with --download it is filled)",
    )


def _class_indices(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _counts(name: str, found: list[int], full: tuple[int, int]) -> str:
    text = f"{name}: {found[0]:,} + {found[1]:,} images"
    if tuple(found) == full:
        return text + " (complete)"
    return text + f" of {full[0]:,} + {full[1]:,}: a part, not comparable with results on the whole set"


def _read_npz(path: Path) -> tuple[np.ndarray, ...]:
    names = ("x_train", "y_train", "x_test", "y_test")
    remedy = f"Give an npz file with {', '.join(names)}"

    def refuse(problem: str) -> InputError:
        return InputError("dataset", str(path), problem, remedy)

    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in names if name not in archive.files]
            if missing:
                raise refuse(f"has no array {missing[0]}")
            arrays = tuple(archive[name] for name in names)
    except FileNotFoundError:
        raise refuse("no such file") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise refuse(f"can't be read ({error})") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise refuse(f"can't be read ({error})") from None
    for name, array in zip(names, arrays, strict=True):
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise refuse(f"{name} is not an array of finite numbers")
    for x, y, part in ((arrays[0], arrays[1], "train"), (arrays[2], arrays[3], "test")):
        if x.ndim < 2 or y.shape != (len(x),):
            raise refuse(f"x_{part} must be (n, ...) and y_{part} (n,), not {x.shape} and {y.shape}")
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise refuse("x_train and x_test have points of different shapes")
    if len(np.unique(np.concatenate([arrays[1], arrays[3]]))) < 2:
        raise refuse("all labels are the same")
    return arrays
