r"""Laws beyond a single power, fitted to plain arrays: corrections, offsets, crossovers, breakpoints, joint scaling.

Each function takes positive ``x`` and ``y``, fits its law to log y by least squares, and returns every parameter with
its interval. With u = log x:

    corrected_power    log y = c + p u + log(1 + b e^{w u})                      (w fixed, or free)
    offset_power       y = e^c x^p + y_0
    smooth_crossover   log y = c + p1 v + (p2 - p1)/s · log((1 + e^{s v})/2),    v = u - u*
    segmented          log y = c + p1 v for v < 0, c + p2 v for v > 0,           v = u - u*
    joint              log y = c + p (log alpha + nu log h)

Points of one cluster (for networks: one pair of width and seed) may be correlated in any way: errors are then the
cluster-robust ones of the delete-one-cluster jackknife, linearised (CR3: Bell & McCaffrey, Survey Methodology 28 (2002)
169), with t(clusters - 1). Without clusters points are independent and errors are those of least squares, t(n - k).
`benchmarks/calibration.py` measures the coverage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares, leastsq

from fit.estimators.estimate import Estimate
from lazyrich.errors import InputError

#: A crossover between two powers is no sharper and no smoother than this: beyond, the points cannot tell.
SHARPNESS = (0.2, 8.0)
#: A free correction exponent lies in this range in size: a smaller one is the prefactor's, a larger one a step.
CORRECTION_EXPONENTS = (0.05, 4.0)
#: Points that each side of a breakpoint keeps.
MIN_SIDE = 2
PRECISION, MOST_STEPS = 1e-12, 200

#: theta, log x (n,) -> (log y, its derivatives by theta, shape (n, k))
_Law = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]


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


def corrected_power(
    x: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    correction_exponent: float | None = None,
    sign: int = 1,
    y_error: ArrayLike | None = None,
) -> ModelFit:
    """Fit y = c · x**p · (1 + b · x**w): a power with its leading correction.

    Parameters
    ----------
    x, y : array_like of shape (n,)
    cluster : array_like of shape (n,), optional
    correction_exponent : float, optional
        The fixed w. Without it w is free too, which needs decades of x and little noise; where theory gives w, fix it.
    sign : {1, -1}
        Of a free w: 1 if the correction vanishes for x -> 0, -1 for x -> infinity.
    y_error : array_like of shape (n,), optional
        Standard errors of y; points count by their inverse squares.

    Returns
    -------
    ModelFit
        exponent, log_prefactor, correction (b), and correction_exponent if it was free.

    Examples
    --------
    >>> x = np.geomspace(1e-4, 1e-1, 12)
    >>> round(corrected_power(x, 2 * x**-1.5 * (1 + 3 * x**0.5), correction_exponent=0.5)["exponent"].value, 6)
    -1.5
    """
    data = _Data.of(x, y, cluster, y_error)
    fixed = correction_exponent is not None
    u = data.log_x
    w0 = float(correction_exponent) if correction_exponent is not None else 0.5 * math.copysign(1.0, sign)

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, b = theta[:3]
        w = w0 if fixed else theta[3]
        power = np.exp(w * u)
        factor = np.maximum(1 + b * power, 1e-12)
        columns = [np.ones_like(u), u, power / factor]
        if not fixed:
            columns.append(b * power * u / factor)
        return c + p * u + np.log(factor), np.stack(columns, axis=-1)

    slope, constant = np.polyfit(u, data.log_y, 1)
    lowest = -0.999 / float(np.exp(w0 * u).max()) if fixed else -0.999 / math.exp(abs(w0) * float(np.abs(u).max()))
    names = ["log_prefactor", "exponent", "correction"] + ([] if fixed else ["correction_exponent"])
    low = [-np.inf, -np.inf, lowest if fixed else -np.inf]
    high = [np.inf] * 3
    starts = []
    for w in [w0] if fixed else [math.copysign(size, sign) for size in (0.2, 0.5, 1.0, 2.0)]:
        # linear in the rest: log(1 + b P) ~ b P
        design = np.stack([np.ones_like(u), u, np.exp(w * u)], axis=-1)
        c, p, b = np.linalg.lstsq(design, data.log_y, rcond=None)[0]
        b = max(b, 0.5 * lowest) if fixed else max(b, -0.5 / float(np.exp(w * u).max()))
        starts.append([c, p, b] + ([] if fixed else [w]))
    if not fixed:
        edges = sorted(math.copysign(edge, sign) for edge in CORRECTION_EXPONENTS)
        low.append(edges[0])
        high.append(edges[1])
    starts.append([constant, slope, 0.0] + ([] if fixed else [w0]))
    return _fit(data, law, names, starts, (low, high))


def offset_power(
    x: ArrayLike, y: ArrayLike, cluster: ArrayLike | None = None, *, y_error: ArrayLike | None = None
) -> ModelFit:
    """Fit y = c · x**p + y0: a power that ends in, or starts from, a constant.

    Returns
    -------
    ModelFit
        exponent, log_prefactor and offset (y0).

    Examples
    --------
    >>> x = np.geomspace(10, 1000, 9)
    >>> round(offset_power(x, 5 / x + 0.02)["offset"].value, 6)
    0.02
    """
    data = _Data.of(x, y, cluster, y_error)
    u, largest = data.log_x, float(np.exp(data.log_y.max()))

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, share = theta
        # a trial step of the fit may go anywhere; what is beyond all measurements is far enough
        power = np.exp(np.minimum(c + p * u, data.log_y.max() + 50.0))
        total = np.maximum(power + share * largest, 1e-12 * largest)
        return np.log(total), np.stack([power / total, power * u / total, largest / total], axis=-1)

    smallest = float(np.exp(data.log_y.min())) / largest
    starts = []
    for share in (-smallest, 0.0, 0.5 * smallest, 0.9 * smallest, 0.99 * smallest):
        p, c = np.polyfit(u, np.log(np.exp(data.log_y) - share * largest), 1)
        starts.append([c, p, share])
    fitted = _fit(data, law, ["log_prefactor", "exponent", "offset"], starts)
    return _rescaled(fitted, "offset", largest)


def smooth_crossover(
    x: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    sharpness: float | None = 1.0,
    y_error: ArrayLike | None = None,
) -> ModelFit:
    """Fit a power of x that goes over smoothly into another: both asymptotes and where they meet, in one fit.

    Parameters
    ----------
    sharpness : float or None
        The s of the module's formula: the correction to either asymptote falls as (x/x*)^(∓s). None fits it too.

    Returns
    -------
    ModelFit
        low_exponent, high_exponent, log_crossover (the natural logarithm of the x* at which the asymptotes meet),
        log_level (log y there), and sharpness if it was free.

    Examples
    --------
    >>> x = np.geomspace(1e-3, 1e3, 19)
    >>> fitted = smooth_crossover(x, 1 / (x + x**2 / 2))
    >>> [round(fitted[name].value, 6) for name in ("low_exponent", "high_exponent", "log_crossover")]
    [-1.0, -2.0, 0.693147]
    """
    data = _Data.of(x, y, cluster, y_error)
    u = data.log_x
    free = sharpness is None

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, low, high, star = theta[:4]
        s = float(theta[4]) if sharpness is None else sharpness
        v = u - star
        soft = np.logaddexp(0.0, s * v) - math.log(2.0)
        share = 0.5 * (1 + np.tanh(0.5 * s * v))  # the logistic function
        step = high - low
        columns = [np.ones_like(u), v - soft / s, soft / s, -(low + step * share)]
        if free:
            columns.append(step * (v * share / s - soft / s**2))
        return c + low * v + step * soft / s, np.stack(columns, axis=-1)

    _check_freedom(data, 4 + free)
    starts = _two_lines(u, data.log_y)
    names = ["log_level", "low_exponent", "high_exponent", "log_crossover"] + (["sharpness"] if free else [])
    low, high = [-np.inf, -np.inf, -np.inf, float(u.min())], [np.inf, np.inf, np.inf, float(u.max())]
    if free:
        low.append(SHARPNESS[0])
        high.append(SHARPNESS[1])
        starts = [[*start, s] for start in starts for s in (0.7, 2.0)]
    return _fit(data, law, names, starts, (low, high))


def segmented(
    x: ArrayLike, y: ArrayLike, cluster: ArrayLike | None = None, *, y_error: ArrayLike | None = None
) -> ModelFit:
    """Fit two powers that meet at a breakpoint, which is estimated with them.

    The least squares are profiled over the breakpoint (they are piecewise quadratic in it, with a local minimum between
    any two abscissas), so that the global minimum is found.

    Returns
    -------
    ModelFit
        low_exponent, high_exponent, log_breakpoint (natural logarithm), log_level (log y there).

    Raises
    ------
    InputError
        If a breakpoint leaves fewer than two distinct abscissas on each side.

    Examples
    --------
    >>> x = np.geomspace(1, 100, 11)
    >>> fitted = segmented(x, np.where(x < 10, x**2, 10 * x))
    >>> [round(fitted[name].value, 6) for name in ("low_exponent", "high_exponent", "log_breakpoint")]
    [2.0, 1.0, 2.302585]
    """
    data = _Data.of(x, y, cluster, y_error)
    u = data.log_x
    levels = np.unique(u)
    if len(levels) < 2 * MIN_SIDE + 1:
        raise InputError("x", len(levels), "too few distinct values for a breakpoint between them", "Give five or more")

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, low, high, star = theta
        v = u - star
        above = v > 0
        slope = np.where(above, high, low)
        return c + slope * v, np.stack([np.ones_like(u), v * ~above, v * above, -slope], axis=-1)

    best: tuple[float, NDArray] | None = None
    for left, right in zip(
        levels[MIN_SIDE - 1 : -MIN_SIDE], levels[MIN_SIDE : len(levels) - MIN_SIDE + 1], strict=True
    ):
        # within one gap between abscissas the two lines are free of each other: where they meet decides
        below = u <= left
        lines = [np.polyfit(u[side], data.log_y[side], 1, w=data.weight[side]) for side in (below, ~below)]
        (p1, c1), (p2, c2) = lines
        inside = (c1 - c2) / (p2 - p1) if p2 != p1 else math.nan
        for star in [inside] if left < inside < right else [left, right]:
            theta = _hinge(data, star)
            value, _ = law(theta, u)
            cost = float(np.sum((data.weight * (data.log_y - value)) ** 2))
            if best is None or cost < best[0]:
                best = cost, theta
    assert best is not None  # there is a gap
    return _report(data, law, ["log_level", "low_exponent", "high_exponent", "log_breakpoint"], best[1])


def joint(
    alpha: ArrayLike,
    width: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    y_error: ArrayLike | None = None,
) -> ModelFit:
    """Fit y = c · (alpha · h**nu)**p: how y depends on alpha and on the width at once, nu free.

    nu = 1/2 is a collapse in A = sqrt(h)·alpha, nu = 1 one in h·alpha.

    Returns
    -------
    ModelFit
        exponent (p), nu, log_prefactor.

    Examples
    --------
    >>> alpha, h = np.repeat([0.01, 0.1, 1.0], 4), np.tile([32.0, 64, 128, 256], 3)
    >>> round(joint(alpha, h, (alpha * h) ** -1.0)["nu"].value, 6)
    1.0
    """
    data = _Data.of(alpha, y, cluster, y_error, other=width)
    u, log_h = data.log_x, data.log_other
    assert log_h is not None
    if len(np.unique(log_h)) < 2:
        raise InputError("width", float(np.exp(log_h[0])), "one width shows no dependence on it", "Give two or more")

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, nu = theta
        v = u + nu * log_h
        return c + p * v, np.stack([np.ones_like(u), v, p * log_h], axis=-1)

    design = np.stack([np.ones_like(u), u, log_h], axis=-1) * data.weight[:, None]
    c, p, q = np.linalg.lstsq(design, data.log_y * data.weight, rcond=None)[0]
    if p == 0:
        raise InputError("y", "constant", "it does not depend on alpha", "There is nothing to collapse")
    return _report(data, law, ["log_prefactor", "exponent", "nu"], np.array([c, p, q / p]))


# -- least squares -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Data:
    log_x: NDArray
    log_y: NDArray
    weight: NDArray  #: inverse standard error of log y, or one
    cluster: NDArray | None  #: number of each point's cluster
    log_other: NDArray | None = None

    @classmethod
    def of(cls, x, y, cluster, y_error, other=None) -> _Data:
        columns = {"x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float)}
        if other is not None:
            columns["width"] = np.asarray(other, dtype=float)
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
        number = None
        if cluster is not None:
            number = np.unique(np.asarray(cluster), return_inverse=True)[1]
            if number.shape != length:
                raise InputError("cluster", number.shape, "every point belongs to a cluster", "Give one label a point")
        weight = np.ones(length) if y_error is None else columns["y"] / columns["y_error"]
        return cls(
            np.log(columns["x"]),
            np.log(columns["y"]),
            weight,
            number,
            None if other is None else np.log(columns["width"]),
        )


def _fit(
    data: _Data,
    law: _Law,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    bounds: tuple[Sequence[float], Sequence[float]] = (-np.inf, np.inf),  # type: ignore[assignment]
) -> ModelFit:
    """Least squares from several starts; the best one counts.

    The points of one abscissa have the same law: their mean, with the sum of their weights, has the same minimum.
    """
    _check_freedom(data, len(names))
    u, group = np.unique(data.log_x, return_inverse=True)
    square = np.bincount(group, data.weight**2)
    mean, weight = np.bincount(group, data.weight**2 * data.log_y) / square, np.sqrt(square)
    if len(u) < len(names):  # fewer abscissas than parameters: as many residuals as there are
        u, mean, weight = data.log_x, data.log_y, data.weight
    known: dict[bytes, tuple[NDArray, NDArray]] = {}

    def at(theta: NDArray) -> tuple[NDArray, NDArray]:
        key = theta.tobytes()
        if key not in known:  # scipy asks for the residuals and for their derivatives one after the other
            known.clear()
            known[key] = law(theta, u)
        return known[key]

    def residual(theta: NDArray) -> NDArray:
        return weight * (at(theta)[0] - mean)

    def jacobian(theta: NDArray) -> NDArray:
        return weight[:, None] * at(theta)[1]

    best: tuple[float, NDArray] | None = None
    for start in starts:
        low, high = (np.broadcast_to(np.asarray(edge, dtype=float), len(names)) for edge in bounds)
        if np.isfinite([low, high]).any():
            found = least_squares(
                residual, np.clip(start, low, high), jac=jacobian, bounds=(low, high), x_scale="jac", xtol=PRECISION,
                ftol=PRECISION, gtol=PRECISION, max_nfev=MOST_STEPS,
            ).x  # fmt: skip
        else:  # MINPACK, twenty times as fast, takes no bounds
            found, *_ = leastsq(
                residual, start, Dfun=jacobian, xtol=PRECISION, ftol=PRECISION, gtol=PRECISION, maxfev=MOST_STEPS,
                full_output=True,
            )  # fmt: skip
        cost = float(np.sum(residual(found) ** 2))
        if best is None or cost < best[0] * (1 - 1e-9):
            best = cost, found
    assert best is not None
    return _report(data, law, names, best[1])


def _report(data: _Data, law: _Law, names: Sequence[str], theta: NDArray) -> ModelFit:
    _check_freedom(data, len(names))
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


def _check_freedom(data: _Data, parameters: int) -> None:
    if len(data.log_x) <= parameters:
        raise InputError("x", len(data.log_x), f"{parameters} parameters leave no freedom", "Give more points")
    if data.cluster is not None and data.cluster.max() < 2:
        raise InputError(
            "cluster", int(data.cluster.max()) + 1, "too few clusters for an interval", "Give three or more"
        )


def _rescaled(fitted: ModelFit, name: str, factor: float) -> ModelFit:
    one = fitted[name]
    changed = Estimate(
        one.value * factor, one.standard_error * factor, one.dof, n_points=one.n_points, n_clusters=one.n_clusters
    )
    return ModelFit(fitted.parameters | {name: changed}, fitted.log_rms, fitted.n_points, fitted.n_clusters)


def _two_lines(u: NDArray, log_y: NDArray) -> list[list[float]]:
    """Starting values: straight lines through the lower and the upper part, and where they meet."""
    starts = []
    for part in (0.3, 0.5):
        low, high = (u <= np.quantile(u, part)), (u >= np.quantile(u, 1 - part))
        (p1, c1), (p2, c2) = (np.polyfit(u[side], log_y[side], 1) for side in (low, high))
        star = (c1 - c2) / (p2 - p1) if p2 != p1 else float(np.median(u))
        star = float(np.clip(star, *np.quantile(u, (0.1, 0.9))))
        starts.append([c1 + p1 * star, p1, p2, star])
    return starts


def _hinge(data: _Data, star: float) -> NDArray:
    """Two lines that meet at ``star``: linear least squares."""
    v = data.log_x - star
    design = np.stack([np.ones_like(v), np.minimum(v, 0), np.maximum(v, 0)], axis=-1) * data.weight[:, None]
    c, low, high = np.linalg.lstsq(design, data.log_y * data.weight, rcond=None)[0]
    return np.array([c, low, high, star])
