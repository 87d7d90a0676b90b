"""Laws beyond a single power, fitted to log y by least squares: every parameter with its interval.

Points of one cluster (for networks: one pair of width and seed) may be correlated in any way: errors are then the
cluster-robust ones of the delete-one-cluster jackknife, linearised (CR3: Bell & McCaffrey, Survey Methodology 28 (2002)
169), with t(clusters - 1). Without clusters points are independent and errors are those of least squares, t(n - k).
`benchmarks/calibration.py` measures the coverage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, leastsq

from fit.estimators.estimate import Estimate
from lazyrich.errors import InputError

TOLERANCE, MAX_EVALUATIONS = 1e-12, 200

#: theta, log x (n,) -> (log y, its derivatives by theta, shape (n, k))
Law = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]


@dataclass(frozen=True)
class ModelFit(Mapping[str, Estimate]):
    """The parameters of a fitted law by name, each an `Estimate`.

    ``log_rms`` is the root mean square of what is left of log y (divided by its errors, where they were given).
    """

    parameters: dict[str, Estimate]
    log_rms: float
    n_points: int
    n_clusters: int

    def __getitem__(self, name: str) -> Estimate:
        return self.parameters[name]

    def __iter__(self):
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)


@dataclass(frozen=True)
class Data:
    """Logarithms of what a law is fitted to, each (n,)."""

    log_x: NDArray
    log_y: NDArray
    weight: NDArray  #: inverse standard error of log y, or one
    cluster: NDArray | None  #: index of each point's cluster
    log_width: NDArray | None = None  #: of a law in two variables

    @classmethod
    def from_arrays(cls, x, y, cluster, y_error, width=None) -> Data:
        """Return the logarithms of plain arrays; refuse unequal lengths and values without a logarithm."""
        columns = {"x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float)}
        if width is not None:
            columns["width"] = np.asarray(width, dtype=float)
        if y_error is not None:
            columns["y_error"] = np.asarray(y_error, dtype=float)
        length = columns["x"].shape
        if not columns["x"].size:
            raise InputError("x", 0, "there are no points", "Give some")
        for name, values in columns.items():
            if values.ndim != 1 or values.shape != length:
                raise InputError(name, values.shape, "arrays are one-dimensional and of equal length", "Flatten them")
            bad = values[~(np.isfinite(values) & (values > 0))]
            if bad.size:
                raise InputError(
                    name, float(bad[0]), "it has no logarithm", "Leave out the points that are not positive"
                )
        cluster_index = None
        if cluster is not None:
            cluster_index = np.unique(np.asarray(cluster), return_inverse=True)[1]
            if cluster_index.shape != length:
                raise InputError(
                    "cluster", cluster_index.shape, "every point belongs to a cluster", "Give one label a point"
                )
        weight = np.ones(length) if y_error is None else columns["y"] / columns["y_error"]
        return cls(
            np.log(columns["x"]),
            np.log(columns["y"]),
            weight,
            cluster_index,
            None if width is None else np.log(columns["width"]),
        )


def fit_law(
    data: Data,
    law: Law,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    bounds: tuple[Sequence[float], Sequence[float]] = (-np.inf, np.inf),  # type: ignore[assignment]
) -> ModelFit:
    """Fit a law by least squares from several starts, and keep the best fit.

    The points of one abscissa have the same law: their mean, with the sum of their weights, has the same minimum.
    """
    check_freedom(data, len(names))
    u, group = np.unique(data.log_x, return_inverse=True)
    square = np.bincount(group, data.weight**2)
    mean, weight = np.bincount(group, data.weight**2 * data.log_y) / square, np.sqrt(square)
    if len(u) < len(names):  # fewer abscissas than parameters: as many residuals as there are
        u, mean, weight = data.log_x, data.log_y, data.weight
    evaluated: dict[bytes, tuple[NDArray, NDArray]] = {}

    def evaluate(theta: NDArray) -> tuple[NDArray, NDArray]:
        key = theta.tobytes()
        if key not in evaluated:  # scipy asks for the residuals and for their derivatives one after the other
            evaluated.clear()
            evaluated[key] = law(theta, u)
        return evaluated[key]

    def residual(theta: NDArray) -> NDArray:
        return weight * (evaluate(theta)[0] - mean)

    def jacobian(theta: NDArray) -> NDArray:
        return weight[:, None] * evaluate(theta)[1]

    best: tuple[float, NDArray] | None = None
    for start in starts:
        low, high = (np.broadcast_to(np.asarray(edge, dtype=float), len(names)) for edge in bounds)
        if np.isfinite([low, high]).any():
            theta = least_squares(
                residual, np.clip(start, low, high), jac=jacobian, bounds=(low, high), x_scale="jac", xtol=TOLERANCE,
                ftol=TOLERANCE, gtol=TOLERANCE, max_nfev=MAX_EVALUATIONS,
            ).x  # fmt: skip
        else:  # MINPACK, twenty times as fast, takes no bounds
            theta, *_ = leastsq(
                residual, start, Dfun=jacobian, xtol=TOLERANCE, ftol=TOLERANCE, gtol=TOLERANCE, maxfev=MAX_EVALUATIONS,
                full_output=True,
            )  # fmt: skip
        cost = float(np.sum(residual(theta) ** 2))
        if best is None or cost < best[0] * (1 - 1e-9):
            best = cost, theta
    assert best is not None
    return fitted_law(data, law, names, best[1])


def fitted_law(data: Data, law: Law, names: Sequence[str], theta: NDArray) -> ModelFit:
    """Return the parameters ``theta`` of a least-squares fit with their intervals."""
    check_freedom(data, len(names))
    value, jacobian = law(theta, data.log_x)
    residual, jacobian = data.weight * (data.log_y - value), data.weight[:, None] * jacobian
    bread = np.linalg.pinv(jacobian.T @ jacobian)
    n, k = jacobian.shape
    if data.cluster is None:
        covariance, dof = bread * (residual @ residual / (n - k)), float(n - k)
        clusters = n
    else:
        covariance, clusters = cluster_covariance(jacobian, residual, data.cluster, bread)
        dof = float(clusters - 1)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    parameters = {
        name: Estimate(float(value), float(error), dof, n_points=n, n_clusters=clusters)
        for name, value, error in zip(names, theta, errors, strict=True)
    }
    return ModelFit(parameters, float(np.sqrt(np.mean(residual**2))), n, clusters)


def cluster_covariance(jacobian: NDArray, residual: NDArray, cluster: NDArray, bread: NDArray) -> tuple[NDArray, int]:
    """Return the CR3 covariance of least-squares parameters and the number of clusters.

    The change of the parameters when cluster g is left out is -(JᵀJ - J_gᵀJ_g)^{-1} J_gᵀ r_g, to first order for a law
    that is not linear; the jackknife variance is (G - 1)/G times the sum of their squares.

    Parameters
    ----------
    jacobian : ndarray of shape (n, k)
    residual : ndarray of shape (n,)
    cluster : ndarray of shape (n,)
        Numbers from 0.
    bread : ndarray of shape (k, k)
        The inverse of JᵀJ.
    """
    count = int(cluster.max()) + 1
    k = jacobian.shape[1]
    score, gram = np.zeros((count, k)), np.zeros((count, k, k))
    np.add.at(score, cluster, jacobian * residual[:, None])
    np.add.at(gram, cluster, jacobian[:, :, None] * jacobian[:, None, :])
    # (JᵀJ - gram_g)^{-1} = bread (1 - gram_g bread)^{-1}; the pseudo-inverse where a cluster alone bears a parameter
    change = np.einsum("gij,gj->gi", bread @ np.linalg.pinv(np.eye(k) - gram @ bread, rcond=1e-10), score)
    return (count - 1) / count * change.T @ change, count


def check_freedom(data: Data, parameters: int) -> None:
    """Refuse fewer points, or clusters, than an interval needs."""
    if len(data.log_x) <= parameters:
        raise InputError("x", len(data.log_x), f"{parameters} parameters leave no freedom", "Give more points")
    if data.cluster is not None and data.cluster.max() < 2:
        raise InputError(
            "cluster", int(data.cluster.max()) + 1, "too few clusters for an interval", "Give three or more"
        )
