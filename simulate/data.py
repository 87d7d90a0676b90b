"""Data sets as the networks see them: pooled, balanced, centred, projected to the sphere, labelled ±1.

Preprocessing as in the published runs of arXiv:1906.08034 (dataset.py of its code): train and test sets are pooled, the
mean over all data is subtracted, optionally PCA (whitened by default) is applied, each point is scaled to ||x||² = d,
classes are shuffled and interleaved so that both parts are balanced, and the label is the parity of the class.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from simulate.architecture import find
from simulate.campaign import SPHERE_DIMENSION, Experiment
from simulate.torchvision_compat import torchvision_datasets
from theory import InputError

_CLASSES_BY_PARITY = np.array([1.0, -1.0])  # even classes +1, odd ones -1


@dataclass(frozen=True)
class Data:
    """A training and a test set.

    ``x_train`` (n_train, d) and ``x_test`` (n_test, d) are float64 with ||x||² = d; ``y_train``, ``y_test`` are ±1;
    ``sha256`` is of the chosen raw data, so it does not depend on the machine; ``description`` says what it is made of.
    ``image_shape`` is (height, width, channels) where a point is an image, its values in this order.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    sha256: str
    description: str
    image_shape: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class _Pool:
    """All points of a data set, their classes 0, 1, ..., and what it is.

    ``x`` has any numeric dtype and shape (n, d), or (n, height, width) or (n, height, width, channels) for images.
    """

    x: np.ndarray
    classes: np.ndarray
    description: str


def load_data(experiment: Experiment, data_root: str | Path | None = None, *, download: bool = False) -> Data:
    """Read and preprocess the data set of an experiment.

    Parameters
    ----------
    experiment : Experiment
        Its ``dataset``, ``n_train``, ``n_test``, ``data_seed``, ``pca`` and ``pca_whiten`` are used.
    data_root : path, optional
        Folder with the image data, in torchvision's layout; default: the environment variable ``LAZYRICH_DATA``.
    download : bool
        Let torchvision fetch what is missing.

    Raises
    ------
    InputError
        If the data set is unknown, its files are missing or broken, or it has too few points.
    """
    if experiment.dataset == "sphere":
        return _sphere(experiment)
    pool = _pool(experiment.dataset, data_root, download)
    wanted = experiment.n_train + experiment.n_test
    if wanted > len(pool.x):
        raise InputError(
            "n_train",
            experiment.n_train,
            f"n_train + n_test = {wanted}, and {experiment.dataset} has {len(pool.x)} points",
            "Lower n_train or n_test",
        )
    chosen = _interleaved(pool.classes, experiment.data_seed)[:wanted]
    flat = pool.x.reshape(len(pool.x), -1)
    digest = hashlib.sha256(np.ascontiguousarray(flat[chosen]).tobytes())
    digest.update(pool.classes[chosen].astype("<i8").tobytes())
    if experiment.pca is None:
        x = flat[chosen] - flat.mean(axis=0, dtype=np.float64)
    else:
        x = _principal_components(experiment, flat)[chosen]
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    if not (norm > 0).all():
        raise InputError(
            "dataset", experiment.dataset, "a point equals the mean, so it can't be put on the sphere", "Remove it"
        )
    x *= np.sqrt(x.shape[1]) / norm
    y = _CLASSES_BY_PARITY[pool.classes[chosen] % 2]
    n = experiment.n_train
    shape = _image_shape(pool.x) if experiment.pca is None else None
    find(experiment.architecture).check(shape or x.shape[1:], experiment.depth)
    return Data(experiment.dataset, x[:n], y[:n], x[n:], y[n:], digest.hexdigest(), pool.description, shape)


def _image_shape(x: np.ndarray) -> tuple[int, int, int] | None:
    if x.ndim not in (3, 4):
        return None
    height, width, *channels = x.shape[1:]
    return height, width, *(channels or [1])


def _principal_components(experiment: Experiment, flat: np.ndarray) -> np.ndarray:
    largest = min(flat.shape)
    if experiment.pca > largest:
        raise InputError("pca", experiment.pca, f"{experiment.dataset} has {largest} components", "Lower it")
    pca = PCA(experiment.pca, whiten=experiment.pca_whiten, svd_solver="covariance_eigh")
    return pca.fit_transform(flat.astype(np.float64))


def _interleaved(classes: np.ndarray, seed: int) -> np.ndarray:
    """Indices that take one point of each class in turn, each class shuffled; larger classes go on at the end."""
    generator = np.random.Generator(np.random.PCG64(seed))
    members = [generator.permutation(np.flatnonzero(classes == c)) for c in range(classes.max() + 1)]
    turn = np.concatenate([np.arange(len(m)) for m in members])
    return np.concatenate(members)[np.argsort(turn, kind="stable")]


def _sphere(experiment: Experiment) -> Data:
    """Uniform points on the sphere in ten dimensions; the label is the sign of the first coordinate, alternating."""
    wanted = experiment.n_train + experiment.n_test
    generator = np.random.Generator(np.random.PCG64(experiment.data_seed))
    x = generator.normal(size=(wanted, SPHERE_DIMENSION))
    x *= np.sqrt(SPHERE_DIMENSION) / np.linalg.norm(x, axis=1, keepdims=True)
    y = _CLASSES_BY_PARITY[np.arange(wanted) % 2]
    x[:, 0] = np.abs(x[:, 0]) * y
    n = experiment.n_train
    digest = hashlib.sha256(x.tobytes()).hexdigest()
    description = f"{wanted} points, uniform on the sphere in {SPHERE_DIMENSION} dimensions, label sign(x_1)"
    return Data("sphere", x[:n], y[:n], x[n:], y[n:], digest, description)


def _digits(root: str | None, download: bool) -> _Pool:
    digits = load_digits()
    x, y = digits.images, digits.target
    return _Pool(x, y, f"{len(x)} digits of 8x8 pixels (scikit-learn)")


def _torchvision(cls: str, full: tuple[int, int], **options) -> Callable[[str | None, bool], _Pool]:
    def read(root: str | None, download: bool) -> _Pool:
        if root is None:
            raise _no_root(cls)
        constructor = getattr(torchvision_datasets(), cls)
        parts = []
        for train in (True, False):
            try:
                parts.append(constructor(root, train=train, download=download, **options))
            except (RuntimeError, ValueError, OSError) as error:
                reason = str(error).splitlines()[0].rstrip(". ")
                raise InputError(
                    "data_root",
                    root,
                    f"{cls} can't be read there ({reason})",
                    "Point --data-root or LAZYRICH_DATA at a folder that has it, or add --download",
                ) from None
        x = np.concatenate([np.asarray(part.data) for part in parts])
        labels = np.concatenate([np.asarray(part.targets) for part in parts])
        return _Pool(x, _class_indices(labels), _counts(cls, [len(part) for part in parts], full))

    return read


def _cifar10(root: str | None, download: bool) -> _Pool:
    """CIFAR-10 as torchvision stores it, or as ``cifar10/cifar10.npz`` (x_train, y_train, x_test, y_test)."""
    if root is None:
        raise _no_root("cifar10")
    archive = Path(root, "cifar10", "cifar10.npz")
    if archive.exists():
        x_train, y_train, x_test, y_test = _read_npz(archive)
        counts = _counts("CIFAR10", [len(x_train), len(x_test)], (50_000, 10_000))
        return _Pool(np.concatenate([x_train, x_test]), _class_indices(np.concatenate([y_train, y_test])), counts)
    return _torchvision("CIFAR10", (50_000, 10_000))(root, download)


def _npz(path: str) -> _Pool:
    x_train, y_train, x_test, y_test = _read_npz(Path(path))
    x, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    # labels that are ±1 already are kept: +1 is class 0
    classes = (labels < 0).astype(np.int64) if set(np.unique(labels)) <= {-1, 1} else _class_indices(labels)
    return _Pool(x, classes, f"{len(x_train)} + {len(x_test)} points of {Path(path).name}")


_SOURCES: dict[str, Callable[[str | None, bool], _Pool]] = {
    "digits": _digits,
    "mnist": _torchvision("MNIST", (60_000, 10_000)),
    "fashion_mnist": _torchvision("FashionMNIST", (60_000, 10_000)),
    "emnist_letters": _torchvision("EMNIST", (124_800, 20_800), split="letters"),
    "cifar10": _cifar10,
}


def _pool(dataset: str, data_root: str | Path | None, download: bool) -> _Pool:
    if dataset.endswith(".npz"):
        return _npz(dataset)
    if dataset not in _SOURCES:
        known = ", ".join([*_SOURCES, "sphere"])
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
    except (OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
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
