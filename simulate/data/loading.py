"""Data sets as the networks see them: pooled, balanced, centred, projected to the sphere, labelled ±1.

Preprocessing as in the published runs of arXiv:1906.08034 (dataset.py of its code): train and test sets are pooled, the
mean over all data is subtracted, each point is scaled to ||x||² = d, classes are shuffled and interleaved so that both
parts are balanced, and the label is the parity of the class (+1 for even ones). Principal components are those of all
points on the sphere, whitened by default, as published; they are then put on the sphere of their own dimension, which
the published runs did not do and the predictions ask for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from sklearn.decomposition import PCA

from lazyrich.errors import InputError
from simulate.data.labels import signs
from simulate.data.sources import read_pool
from simulate.data.synthetic import DIMENSION, RULES, draw_points


class DataRequest(Protocol):
    """What is asked of a data set: an experiment (`simulate.campaign.Experiment`), or anything with these fields."""

    @property
    def dataset(self) -> str:
        """A name, or the path of an npz file."""

    @property
    def n_train(self) -> int:
        """Training points."""

    @property
    def n_test(self) -> int:
        """Test points."""

    @property
    def data_seed(self) -> int:
        """Which draw of the points."""

    @property
    def dimension(self) -> int | None:
        """Of synthetic points."""

    @property
    def pca(self) -> int | None:
        """How many principal components are kept; None for the points themselves."""

    @property
    def pca_whiten(self) -> bool:
        """Whether components are scaled to unit variance."""

    def check_points(self, shape: tuple[int, ...]) -> None:
        """Raise an `InputError` if points of this shape can't be used."""


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


def load_data(experiment: DataRequest, data_root: str | Path | None = None, *, download: bool = False) -> Data:
    """Read and preprocess the data set of an experiment.

    Parameters
    ----------
    experiment : DataRequest
        An experiment: its ``dataset``, ``n_train``, ``n_test``, ``data_seed``, ``pca``, ``pca_whiten`` and
        ``dimension`` are used.
    data_root : path, optional
        Folder with the image data, in torchvision's layout; default: the environment variable ``LAZYRICH_DATA``.
    download : bool
        Let torchvision fetch what is missing.

    Raises
    ------
    InputError
        If the data set is unknown, its files are missing or broken, or it has too few points.
    """
    if experiment.dataset in RULES:
        return _synthetic(experiment)
    pool = read_pool(experiment.dataset, data_root, download)
    count = experiment.n_train + experiment.n_test
    if count > len(pool.x):
        raise InputError(
            "n_train",
            experiment.n_train,
            f"n_train + n_test = {count}, and {experiment.dataset} has {len(pool.x)} points",
            "Lower n_train or n_test",
        )
    shape = _image_shape(pool.x) if experiment.pca is None else None
    if experiment.pca is None:
        experiment.check_points(shape or pool.x.shape[1:])
    chosen = _interleaved(pool.classes, experiment.data_seed)[:count]
    flat = pool.x.reshape(len(pool.x), -1)
    digest = hashlib.sha256(np.ascontiguousarray(flat[chosen]).tobytes())
    digest.update(pool.classes[chosen].astype("<i8").tobytes())
    mean = flat.mean(axis=0, dtype=np.float64)
    if experiment.pca is None:
        x = _on_sphere(_centred(flat[chosen], mean), experiment.dataset)
    else:
        x = _on_sphere(_principal_components(experiment, _centred(flat, mean))[chosen], experiment.dataset)
    y = signs(pool.classes[chosen])
    n = experiment.n_train
    return Data(experiment.dataset, x[:n], y[:n], x[n:], y[n:], digest.hexdigest(), pool.description, shape)


def _centred(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Subtract the mean, in float64 whatever the points' dtype."""
    return (x - mean).astype(np.float64, copy=False)


def _on_sphere(x: np.ndarray, dataset: str) -> np.ndarray:
    """Scale each point to ||x||² = d, in place."""
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.linalg.norm(x, axis=1, keepdims=True)
    if not np.isfinite(norm).all() or (x[norm[:, 0] == 0] != 0).any():
        problem = "the squares of its numbers are too large or too small for float64"
        raise InputError("dataset", dataset, problem, "Divide x by its largest number")
    if not (norm > 0).all():
        raise InputError("dataset", dataset, "a point equals the mean, so it can't be put on the sphere", "Remove it")
    x *= np.sqrt(x.shape[1]) / norm
    return x


def _image_shape(x: np.ndarray) -> tuple[int, int, int] | None:
    if x.ndim not in (3, 4):
        return None
    height, width, *channels = x.shape[1:]
    return height, width, *(channels or [1])


def _principal_components(experiment: DataRequest, centred: np.ndarray) -> np.ndarray:
    available = min(centred.shape)
    if experiment.pca > available:
        raise InputError("pca", experiment.pca, f"{experiment.dataset} has {available} components", "Lower it")
    pca = PCA(experiment.pca, whiten=experiment.pca_whiten, svd_solver="covariance_eigh")
    return pca.fit_transform(_on_sphere(centred, experiment.dataset))


def _interleaved(classes: np.ndarray, seed: int) -> np.ndarray:
    """Return indices that take one point of each class in turn, each class shuffled; larger ones go on at the end."""
    generator = np.random.Generator(np.random.PCG64(seed))
    by_class = np.argsort(classes, kind="stable")
    starts = np.unique(classes[by_class], return_index=True)[1]
    members = [generator.permutation(indices) for indices in np.split(by_class, starts[1:])]
    turn = np.concatenate([np.arange(len(m)) for m in members])
    return np.concatenate(members)[np.argsort(turn, kind="stable")]


def _synthetic(experiment: DataRequest) -> Data:
    count, dimension = experiment.n_train + experiment.n_test, experiment.dimension or DIMENSION
    x, y = draw_points(experiment.dataset, count, dimension, experiment.data_seed)
    n = experiment.n_train
    digest = hashlib.sha256(x.tobytes()).hexdigest()
    description = (
        f"{count} points, uniform on the sphere in {dimension} dimensions, {RULES[experiment.dataset].description}"
    )
    return Data(experiment.dataset, x[:n], y[:n], x[n:], y[n:], digest, description)
