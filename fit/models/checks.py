"""What a fit of a scaling law rests on, and what papers leave out: points, ranges, weights, starts, reach."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kruskal

from fit.models.fitting import ROUGH, Fit, Minimum, refit, residuals_of
from fit.models.intervals import Uncertainty
from fit.models.points import Points
from lazyrich.numbers import p_is, per_cent, short

#: standard deviations by which a tenth of the points may move the parameter that moves most
_MOST_MOVE = 3.0
#: the share of points left out at an end
_SHARE_LEFT_OUT = 0.1
#: of residuals against a variable
_MOST_TREND, _BINS = 0.01, 5
_MOST_CORRELATION = 0.95
_ALIKE = 0.999
_FEWEST_PER_PARAMETER = 10
_FEWEST_DECADES = 1.5
#: twice the difference of the costs over the noise squared, up to which another minimum fits as well (chi², one degree)
_WITHIN_NOISE = 3.84
#: share of the response that a term must reach somewhere
_NEGLIGIBLE = 1e-5
_HELD_OUT = 0.2
_FOLDS = 10


@dataclass(frozen=True)
class Check:
    """One line of the checklist."""

    question: str
    answer: str
    good: bool | None  #: None for what is only stated

    def __post_init__(self) -> None:
        if self.good is not None:  # NumPy's truth values are none of JSON's
            object.__setattr__(self, "good", bool(self.good))


@dataclass(frozen=True)
class Extrapolation:
    """How the law, fitted to the smaller values of a column, meets the larger ones."""

    column: str
    edge: float  #: fitted below, tested from here on
    n_tested: int
    bias: float  #: median of measured minus predicted, in the scale of the fit
    error: float  #: median size of the same


def checklist(fit: Fit, points: Points, uncertainty: Uncertainty, hold_out: str | None = None) -> list[Check]:
    """Return what to know before the parameters are believed."""
    log = fit.method.scale == "log"
    rows = [_points_used(fit, points), *_ranges(points), _weighting(fit), _starts(fit), _other_minimum(fit, points)]
    rows += [
        *_vanishing(fit, points),
        _noise(fit, log),
        *_identifiable(uncertainty),
        *_trends(fit, points),
        *_ends(fit, points, uncertainty),
    ]
    tested = extrapolate(fit, points, hold_out)
    if tested is not None:
        rows.append(_reach(tested, fit, log))
    return rows


def extrapolate(fit: Fit, points: Points, column: str | None = None) -> Extrapolation | None:
    """Fit below the largest fifth of a column (default: the widest), test on it; None where there is too little."""
    if column is None:
        column = max(points.columns, key=lambda name: _decades(points.columns[name]), default=None)
    if column is None:
        return None
    edge = float(np.quantile(points.columns[column], 1 - _HELD_OUT))
    below = points.columns[column] < edge
    if below.sum() < len(fit.formula.parameters) + 2 or below.all():
        return None
    again = _refit(fit, points.take(below))
    if again is None:
        return None
    missed = residuals_of(fit.formula, points.take(~below), fit.method, again.values)
    return Extrapolation(column, edge, int((~below).sum()), float(np.median(missed)), float(np.median(np.abs(missed))))


def held_out_residuals(fit: Fit, points: Points, seed: int = 0) -> NDArray:
    """Return the residual of each point from a fit without its tenth of the clusters; NaN where none was found.

    Laws that are fitted to the same points share the tenths.
    """
    rng = np.random.default_rng(seed)
    fold = rng.permutation(points.n_clusters)[points.cluster] % min(_FOLDS, points.n_clusters)
    result = np.full(len(points), np.nan)
    for number in np.unique(fold):
        training, tested = points.take(fold != number), fold == number
        refitted = _refit(fit, training)
        if refitted is not None:
            result[tested] = residuals_of(fit.formula, points.take(tested), fit.method, refitted.values)
    return result


def _refit(fit: Fit, points: Points) -> Minimum | None:
    starts = [minimum.values for minimum in fit.minima[:2]]
    again = [m for start in starts if (m := refit(fit.formula, points, fit.method, start, ROUGH)) is not None]
    return min(again, key=lambda m: m.cost, default=None)


def _points_used(fit: Fit, points: Points) -> Check:
    left = "; ".join(f"{count} left out: {reason}" for reason, count in points.left_out.items())
    clusters = "" if points.n_clusters == len(points) else f" in {points.n_clusters} clusters"
    k = len(fit.formula.parameters)
    answer = f"{len(points)} of {points.n_rows}{clusters}" + (f" ({left})" if left else "") + f", {k} parameters"
    return Check("Points used", answer, points.n_clusters >= _FEWEST_PER_PARAMETER * k)


def _ranges(points: Points) -> list[Check]:
    rows = []
    for name, column in points.columns.items():
        decades = _decades(column)
        wide = "" if math.isnan(decades) else f", {decades:.1f} decades"
        good = None if math.isnan(decades) else decades >= _FEWEST_DECADES
        rows.append(Check(f"Range of {name}", f"{short(column.min(), 3)} to {short(column.max(), 3)}{wide}", good))
    return rows


def _decades(column: NDArray) -> float:
    return math.log10(column.max() / column.min()) if (column > 0).all() else math.nan


def _weighting(fit: Fit) -> Check:
    scale = "logarithms" if fit.method.scale == "log" else "values"
    loss = (
        "least squares" if fit.method.loss == "squares" else f"Huber's loss, linear beyond {short(fit.method.delta, 2)}"
    )
    return Check("Weighting", f"every point alike; residuals of {scale}; {loss}", None)


def _starts(fit: Fit) -> Check:
    total = sum(minimum.reached for minimum in fit.minima)
    reached = fit.best.reached
    answer = f"{reached} of {fit.method.starts} reached the best minimum" + (
        "" if total == fit.method.starts else f", {fit.method.starts - total} none"
    )
    return Check("Starts", answer, reached >= 2 or fit.method.starts == 1)


def _other_minimum(fit: Fit, points: Points) -> Check:
    question = "Another solution as good"
    if len(fit.minima) < 2 or fit.noise == 0:
        return Check(question, "none found", True)
    second_best = fit.minima[1]
    distance = 2 * (second_best.cost - fit.best.cost) / fit.noise**2
    if distance > _WITHIN_NOISE:
        return Check(question, f"none: the next minimum is {math.sqrt(distance):.1f} standard errors worse", True)
    values = ", ".join(f"{n} = {short(v, 3)}" for n, v in zip(fit.formula.parameters, second_best.values, strict=True))
    return Check(question, f"two solutions within the noise; the other has {values}", False)


def _vanishing(fit: Fit, points: Points) -> list[Check]:
    """Coefficients that the fit has driven to zero, where their logarithms have no end."""
    slopes = fit.formula(points.columns, fit.best.values)[1]
    shares = np.max(np.abs(slopes * fit.best.values) / np.abs(points.response)[:, None], axis=0)
    names = [
        name
        for name, share in zip(fit.formula.parameters, shares, strict=True)
        if name in fit.formula.linear and share < _NEGLIGIBLE
    ]
    return [Check(f"Size of {name}", "as good as zero: the law holds as well without it", False) for name in names]


def _noise(fit: Fit, log: bool) -> Check:
    far = int(np.sum(np.abs(fit.residuals) > 4 * fit.noise)) if fit.noise else 0
    answer = f"residuals of {scatter(fit.noise, log=log)} (robust)" + (
        f"; {far} points are more than four times as far" if far else ""
    )
    return Check("Scatter", answer, far <= 0.02 * len(fit.residuals))


def _identifiable(uncertainty: Uncertainty) -> list[Check]:
    correlation = uncertainty.correlation()
    if correlation is None:
        return []
    pairs = [
        (abs(correlation[i, j]), uncertainty.names[i], uncertainty.names[j])
        for i in range(len(correlation))
        for j in range(i)
    ]
    size, first, second = max(pairs)
    if size > _MOST_CORRELATION:
        apart = f"hardly: the correlation of {second} and {first} is {size:.3f}"
        alike = f"no: {second} and {first} can't be told apart (correlation above {_ALIKE})"
        answer = f"{alike if size > _ALIKE else apart}; give the two together, not each alone"
    else:
        answer = f"yes: the largest correlation is {size:.3f}, of {second} and {first}"
    return [Check("Parameters told apart", answer, size <= _MOST_CORRELATION)]


def _trends(fit: Fit, points: Points) -> list[Check]:
    rows = []
    for name, column in points.columns.items():
        edges = np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))
        group = np.searchsorted(edges, column, side="right")
        groups = [fit.residuals[group == g] for g in np.unique(group)]
        groups = [g for g in groups if len(g) >= 3]
        if len(groups) < 2 or np.ptp(fit.residuals) == 0:
            continue
        p = float(kruskal(*groups).pvalue)
        answer = f"differ between {len(groups)} ranges of {name}" if p < _MOST_TREND else "no trend"
        rows.append(Check(f"Residuals against {name}", f"{answer} ({p_is(p)})", p >= _MOST_TREND))
    return rows


def _ends(fit: Fit, points: Points, uncertainty: Uncertainty) -> list[Check]:
    """By how much more than chance a parameter moves when the points at an end are left out.

    Where the law holds, the variance of the move is that of the smaller fit less that of the whole one (Hausman,
    Econometrica 46 (1978) 1251); their ratio is taken from the linearised law.
    """
    rows = []
    whole = _spread(fit, points)
    everything = {**points.columns, fit.formula.response: points.response}
    for name, column in everything.items():
        low, high = np.quantile(column, [_SHARE_LEFT_OUT, 1 - _SHARE_LEFT_OUT])
        for end, inside in (("smallest", column > low), ("largest", column < high)):
            remaining = points.take(inside)
            refitted = (
                None if inside.all() or len(remaining) < len(fit.formula.parameters) + 2 else _refit(fit, remaining)
            )
            if refitted is None:
                continue
            widened = np.sqrt(np.maximum(_spread(fit, remaining) / whole - 1, 1e-3))
            moves = {
                p: (move / widened[i], float(refitted.values[i]))
                for i, p in enumerate(fit.formula.parameters)
                if math.isfinite(move := _move(float(refitted.values[i]), p, fit, uncertainty))
            }
            if not moves:
                continue
            worst = max(moves, key=lambda p: abs(moves[p][0]))
            size, value = moves[worst]
            answer = f"{worst} moves to {short(value, 3)}, {abs(size):.1f} times what chance moves it by"
            rows.append(Check(f"Without the {end} tenth of {name}", answer, abs(size) <= _MOST_MOVE))
    return rows


def _spread(fit: Fit, points: Points) -> NDArray:
    """Variances of the fitted parameters, shape (k,), for noise of size one, of the law linearised at its best fit."""
    law, slopes = fit.formula(points.columns, fit.best.values)
    positive = np.array([name not in fit.method.signed for name in fit.formula.parameters])
    slopes = slopes * np.where(positive, fit.best.values, 1.0)
    if fit.method.scale == "log":
        slopes = slopes / law[:, None]
    size = np.linalg.norm(slopes, axis=0)
    size[size == 0] = 1.0
    return np.diag(np.linalg.pinv((slopes / size).T @ (slopes / size))) / size**2


def _move(value: float, parameter: str, fit: Fit, uncertainty: Uncertainty) -> float:
    """How far a parameter has moved, in standard errors; by logarithms for positive ones, as they are fitted."""
    before, error = fit.values[parameter], uncertainty.estimates[parameter].standard_error
    if not (0 < error < math.inf and before != 0):
        return math.nan
    if parameter in fit.method.signed:
        return (value - before) / error
    return math.log(value / before) / (error / before) if value > 0 else math.nan


def _reach(tested: Extrapolation, fit: Fit, log: bool) -> Check:
    typical = fit.noise / 1.4826
    miss, inside, bias = (scatter(value, log=log) for value in (tested.error, typical, tested.bias))
    answer = (
        f"{tested.n_tested} points at {tested.column} from {short(tested.edge, 3)} on, predicted from the others: "
        f"median miss {miss}, against {inside} inside; bias {bias}"
    )
    return Check("Extrapolation", answer, tested.error <= 2 * typical)


def scatter(size: float, *, log: bool) -> str:
    """Return the size of residuals: in per cent if they are of logarithms."""
    return per_cent(size) if log else short(size, 3)


def as_rows(checks: list[Check]) -> list[dict[str, Any]]:
    """Return the checklist as plain values."""
    return [dataclasses.asdict(check) for check in checks]
