"""Intervals of a fitted law's parameters: by the bootstrap over clusters, or by the profile of the sum of squares.

The bootstrap draws clusters of points with replacement and fits again (from the best minimum and from the next), so
that it holds for any loss and any noise. Its intervals are percentiles, expanded around the estimate by
t(G - k) / z · sqrt(G / (G - k)) for G clusters and k parameters: percentiles alone are too narrow by that much
(Hesterberg, The American Statistician 69 (2015) 371). The profile gives likelihood intervals for least squares: all
values that raise the sum of squares S by no more than t(n - k)² S/(n - k).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from fit.estimators.estimate import Estimate
from fit.models.fitting import ROUGH, Fit, refit
from fit.models.formula import evaluate
from fit.models.points import Points
from lazyrich.errors import InputError

DRAWS = 400
#: a share of draws beyond which parameters that can't be fitted again make intervals worthless
_MOST_LOST = 0.1
LEVELS = (0.90, 0.95)


@dataclass(frozen=True)
class Interval(Estimate):
    """An estimate whose intervals are given instead of following from its standard error."""

    bounds: Mapping[float, tuple[float, float]] = dataclasses.field(default_factory=dict)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of confidence ``level``, one of `LEVELS`."""
        return self.bounds[level]


@dataclass(frozen=True)
class Uncertainty:
    """The parameters of a law, and what follows from them, with intervals."""

    estimates: dict[str, Interval]
    draws: NDArray | None  #: of the parameters, shape (draws, k); None for profiles
    names: tuple[str, ...]  #: of the columns of ``draws``: the parameters
    lost: int = 0  #: draws from which nothing could be fitted

    def correlation(self) -> NDArray | None:
        """Correlation of the parameters' ranks (Spearman), shape (k, k); None without draws."""
        if self.draws is None or len(self.names) < 2:
            return None
        ranks = np.argsort(np.argsort(self.draws, axis=0), axis=0).astype(float)
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(np.corrcoef(ranks, rowvar=False), nan=0.0)


def bootstrap(
    fit: Fit, points: Points, derived: Mapping[str, object] | None = None, draws: int = DRAWS, seed: int = 0
) -> Uncertainty:
    """Return intervals from fits to clusters drawn with replacement.

    Parameters
    ----------
    derived : mapping of str to sympy expression
        What follows from the parameters, such as beta/(alpha + beta).

    Raises
    ------
    InputError
        If there are fewer clusters than parameters and two, or one in ten draws can't be fitted.
    """
    k, clusters = len(fit.formula.parameters), points.n_clusters
    if clusters < k + 2:
        problem = f"there are {clusters} clusters of points for {k} parameters"
        raise InputError("cluster", clusters, problem, f"Give at least {k + 2}, or leave cluster out")
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(points.cluster == g) for g in range(clusters)]
    starts = [minimum.values for minimum in fit.minima[:2]]
    values, lost = [], 0
    for _ in range(draws):
        chosen = points.take(np.concatenate([members[g] for g in rng.integers(0, clusters, clusters)]))
        again = [m for start in starts if (m := refit(fit.formula, chosen, fit.method, start, ROUGH)) is not None]
        if again:
            values.append(min(again, key=lambda m: m.cost).values)
        else:
            lost += 1
    if lost > _MOST_LOST * draws:
        problem = f"of {draws} draws of the bootstrap {lost} can't be fitted"
        raise InputError("law", fit.formula.text, problem, "Use a law of fewer parameters, or more points")
    table = np.array(values)
    quantities = {name: (fit.values[name], table[:, i]) for i, name in enumerate(fit.formula.parameters)}
    by_name = {name: table[:, i] for i, name in enumerate(fit.formula.parameters)}
    for name, expression in (derived or {}).items():
        quantities[name] = float(evaluate(expression, fit.values)), evaluate(expression, by_name)  # type: ignore[arg-type]
    dof = float(clusters - k)
    widen = math.sqrt(clusters / dof)
    estimates = {
        name: _expanded(value, sample[np.isfinite(sample)], dof, widen, len(points), clusters)
        for name, (value, sample) in quantities.items()
    }
    return Uncertainty(estimates, table, fit.formula.parameters, lost)


def profile(fit: Fit, points: Points) -> Uncertainty:
    """Return likelihood intervals of every parameter, by fits with that parameter fixed.

    Raises
    ------
    InputError
        If the loss is not least squares, or points are clustered: the profile would not hold.
    """
    if fit.method.loss != "squares":
        raise InputError("intervals", "profile", "profiles are for least squares", 'Add loss = "squares"')
    if points.n_clusters < len(points):
        raise InputError("intervals", "profile", "profiles take points to be independent", "Leave cluster out")
    dof = float(len(points) - len(fit.formula.parameters))
    estimates = {}
    for name in fit.formula.parameters:
        bounds = {level: _profile_bounds(name, level, fit, points, dof) for level in LEVELS}
        low, high = bounds[0.95]
        error = (high - low) / (2 * float(stdtrit(dof, 0.975)))
        estimates[name] = Interval(
            fit.values[name], error, dof, n_points=len(points), n_clusters=points.n_clusters, bounds=bounds
        )
    return Uncertainty(estimates, None, fit.formula.parameters)


def _expanded(value: float, sample: NDArray, dof: float, widen: float, n_points: int, clusters: int) -> Interval:
    bounds = {}
    for level in LEVELS:
        factor = widen * float(stdtrit(dof, 0.5 + level / 2) / ndtri(0.5 + level / 2))
        low, high = map(float, np.quantile(sample, [0.5 - level / 2, 0.5 + level / 2]))
        if value > 0 and low > 0:  # in logarithms: a positive parameter's interval holds no zero
            bounds[level] = value * (low / value) ** factor, value * (high / value) ** factor
        else:
            bounds[level] = value - factor * (value - low), value + factor * (high - value)
    error = widen * float(np.subtract(*np.quantile(sample, [0.8413, 0.1587]))) / 2  # robust to a few far draws
    return Interval(value, error, dof, n_points=n_points, n_clusters=clusters, bounds=bounds)


def _profile_bounds(name: str, level: float, fit: Fit, points: Points, dof: float) -> tuple[float, float]:
    """Where the sum of squares, minimised over all other parameters, has risen by t² S/(n - k)."""
    value, least = fit.values[name], fit.best.cost
    rise = float(stdtrit(dof, 0.5 + level / 2)) ** 2 / dof * least
    excess = _profiled_cost(name, fit, points)
    positive = name not in fit.method.signed
    result = []
    for direction in (-1, 1):
        step, edge = 0.1, None
        while step < 60:
            trial_value = (
                value * math.exp(direction * step) if positive else value + direction * step * (abs(value) or 1.0)
            )
            if excess(trial_value) - least > rise:
                edge = trial_value
                break
            step *= 2
        if edge is None:
            result.append((0.0 if positive else -math.inf) if direction < 0 else math.inf)
            continue
        inner = value if step == 0.1 else (
            value * math.exp(direction * step / 2) if positive else value + direction * step / 2 * (abs(value) or 1.0)
        )  # fmt: skip
        result.append(float(brentq(lambda x: excess(x) - least - rise, inner, edge, rtol=1e-6)))
    return result[0], result[1]


def _profiled_cost(name: str, fit: Fit, points: Points) -> Callable[[float], float]:
    """The minimal cost as a function of one parameter's value: that parameter becomes a column of the data."""
    others = tuple(p for p in fit.formula.parameters if p != name)
    method = dataclasses.replace(
        fit.method, signed=tuple(n for n in fit.method.signed if n != name),
        start={k: v for k, v in fit.method.start.items() if k != name},
    )  # fmt: skip
    reduced = dataclasses.replace(fit.formula, variables=(*fit.formula.variables, name), parameters=others)
    warm = [np.array([fit.values[p] for p in others])]

    def cost(value: float) -> float:
        columns = points.columns | {name: np.full(len(points), value)}
        fixed = dataclasses.replace(points, columns=columns)
        if not others:
            residual = fit.formula(points.columns, np.array([value]))[0]
            response = points.response
            if method.scale == "log":
                residual, response = np.log(residual), np.log(response)
            return float(np.sum((response - residual) ** 2) / 2)
        minimum = refit(reduced, fixed, method, warm[-1])
        if minimum is None:
            return math.inf
        return minimum.cost

    return cost
