"""Inputs and labels of the parameter-free curves: checked, and in coordinates of the space that the inputs span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazyrich.errors import InputError


@dataclass(frozen=True)
class TrainingSet:
    """What a curve is computed on.

    Attributes
    ----------
    inputs : ndarray, float64, shape (n, r)
        Coordinates whose Gram matrix is x·x'/d; r is the rank of training and evaluation points together.
    labels : ndarray, float64, shape (n,)
        +1 or -1.
    evaluation : ndarray, float64, shape (m, r)
        The points on which kernels are compared, in the same coordinates.
    """

    inputs: np.ndarray
    labels: np.ndarray
    evaluation: np.ndarray


def training_set(x: np.ndarray, y: np.ndarray, x_eval: np.ndarray | None = None) -> TrainingSet:
    """Check data and rotate it into the span of the inputs, the direction of largest variance first.

    Gaussian first-layer weights don't see the rotation; the directions outside of the span don't matter.

    Parameters
    ----------
    x : array_like, shape (n, d)
    y : array_like, shape (n,)
        +1 or -1.
    x_eval : array_like, shape (m, d), optional
        Points on which kernels are compared; the training points if left out.

    Raises
    ------
    InputError
        If shapes do not fit together, a number is not finite, a label is not +1 or -1, or an input is zero.

    Examples
    --------
    >>> data = training_set([[3.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1, -1, 1])
    >>> (abs(data.inputs @ data.inputs.T)).round(12)[0].tolist()
    [4.5, 0.0, 1.5]
    """
    points = _points("x", x)
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != (len(points),):
        raise InputError("y", labels.shape, f"x holds {len(points)} points", "Give one label for each point")
    if not np.all(np.abs(labels) == 1.0):
        raise InputError("y", labels.tolist(), "labels are +1 or -1", "Map the two classes to +1 and -1")
    if x_eval is None:
        evaluation = points
    else:
        evaluation = _points("x_eval", x_eval)
        if evaluation.shape[1] != points.shape[1]:
            problem = f"the training points have {points.shape[1]} coordinates"
            raise InputError("x_eval", evaluation.shape, problem, "Give points of the same dimension")
    all_inputs = np.concatenate([points, evaluation])
    _, singular, axes = np.linalg.svd(all_inputs, full_matrices=False)
    span_axes = axes[singular > 1e-12 * singular[0]]
    coordinates = all_inputs @ span_axes.T / np.sqrt(points.shape[1])
    return TrainingSet(coordinates[: len(points)], labels, coordinates[len(points) :])


def amplitudes(root_h_alpha: Sequence[float] | np.ndarray | float) -> np.ndarray:
    """Return the values of A = sqrt(h)·alpha as a float64 array of shape (m,).

    Raises
    ------
    InputError
        If there is none, or one is not a positive finite number.

    Examples
    --------
    >>> amplitudes([0.1, 1])
    array([0.1, 1. ])
    """
    values = np.atleast_1d(np.asarray(root_h_alpha, dtype=np.float64))
    if values.ndim != 1 or len(values) == 0 or not np.all(np.isfinite(values) & (values > 0)):
        raise InputError("root_h_alpha", root_h_alpha, "A is a positive number", "Give positive values, such as 0.01")
    return values


def _points(field: str, x: np.ndarray) -> np.ndarray:
    points = np.asarray(x, dtype=np.float64)
    if points.ndim != 2 or points.size == 0:
        raise InputError(field, points.shape, "points are the rows of a table", "Give an array of shape (points, d)")
    if not np.all(np.isfinite(points)):
        raise InputError(field, "NaN or infinity", "coordinates are finite numbers", "Remove or repair those points")
    if not np.all(np.any(points, axis=1)):
        index = int(np.flatnonzero(~np.any(points, axis=1))[0])
        remedy = "Remove the point: without biases a network's output there need not depend on its weights"
        raise InputError(f"{field}[{index}]", "all zeros", "an input has no direction", remedy)
    return points
