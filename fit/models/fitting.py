"""Fit a law of any form to points: robust loss, many starts, every distinct minimum kept.

The loss is Huber's of the residuals (of log y, unless the scale is linear): quadratic below ``delta``, linear beyond,
as in arXiv:2203.15556, so that a few bad points do not decide. Parameters are positive unless named as signed, and are
fitted by their logarithms then. Starts: parameters that enter nonlinearly are drawn at random, the coefficients follow
from nonnegative least squares.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls

from fit.models.formula import Formula
from fit.models.points import Points
from lazyrich.errors import InputError

#: Huber's constant: 95 % of the efficiency of least squares where the noise is normal
EFFICIENT = 1.345
#: of the first of two passes, which measures the noise: almost the sum of absolute residuals
_ABSOLUTE = 1e-3
#: standard deviations per median absolute deviation of a normal distribution
_NORMAL_MAD = 1.4826
#: costs that agree to this belong to one minimum
SAME_COST = 1e-6
#: relative tolerances of a fit: of the law itself, and of what only measures its scatter
EXACT, ROUGH = 1e-10, 1e-6
_STARTS, _MOST_STEPS = 64, 400
_EXPONENTS = (0.0, 2.0)
#: a scale in which a variable counts may lie so far outside its range
_SCALE_BELOW, _SCALE_ABOVE = 1e-3, 1e3


@dataclass(frozen=True)
class Method:
    """How a law is fitted."""

    loss: Literal["huber", "squares"] = "huber"
    scale: Literal["log", "linear"] = "log"
    delta: float | None = None  #: of Huber's loss; None for 1.345 times the noise that a first pass measures
    signed: tuple[str, ...] = ()  #: parameters of either sign
    start: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)  #: where starts are drawn
    starts: int = _STARTS
    seed: int = 0


@dataclass(frozen=True)
class Minimum:
    """A local minimum of the loss."""

    values: NDArray  #: of the parameters, in the formula's order
    cost: float
    reached: int  #: by so many starts


@dataclass(frozen=True)
class Fit:
    """A fitted law."""

    formula: Formula
    method: Method  #: with the delta that was used
    minima: tuple[Minimum, ...]  #: the best first
    residuals: NDArray  #: of the points, in the scale of the fit: measured minus fitted
    noise: float  #: robust standard deviation of the residuals

    @property
    def values(self) -> dict[str, float]:
        return dict(zip(self.formula.parameters, map(float, self.minima[0].values), strict=True))

    @property
    def best(self) -> Minimum:
        return self.minima[0]


def fit_model(formula: Formula, points: Points, method: Method | None = None) -> Fit:
    """Fit a law to points.

    Raises
    ------
    InputError
        If there are fewer than two points more than parameters, a name in the method is no parameter, or no start leads
        to a law that is defined at all points.
    """
    method = method or Method()
    _check(formula, points, method)
    starts = _draw_starts(formula, points, method)
    if method.loss == "huber":  # far from a minimum the sum of squares shows the way better
        squares = dataclasses.replace(method, loss="squares")
        starts = [m.values for start in starts if (m := refit(formula, points, squares, start, ROUGH)) is not None]
    if method.loss == "huber" and method.delta is None:
        first = dataclasses.replace(method, delta=_ABSOLUTE * _unit(points, method))
        ends = [m for start in starts if (m := refit(formula, points, first, start, ROUGH)) is not None]
        best = _best(ends, formula, method)
        residuals = residuals_of(formula, points, method, best.values)
        noise = robust_deviation(residuals, len(formula.parameters))
        method = dataclasses.replace(method, delta=max(EFFICIENT * noise, 1e-6 * _unit(points, method)))
        starts = [end.values for end in ends]
    ends = [m for start in starts if (m := refit(formula, points, method, start)) is not None]
    _best(ends, formula, method)
    minima = _distinct(ends, least=len(points) * (1e-8 * _unit(points, method)) ** 2)
    residuals = residuals_of(formula, points, method, minima[0].values)
    return Fit(formula, method, minima, residuals, robust_deviation(residuals, len(formula.parameters)))


def _best(minima: Sequence[Minimum], formula: Formula, method: Method) -> Minimum:
    if not minima:
        problem = f"from {method.starts} starts none leads to a law that is defined and positive at all points"
        raise InputError("law", formula.text, problem, "Give start = {parameter = [low, high]} for its parameters")
    return min(minima, key=lambda m: m.cost)


def refit(formula: Formula, points: Points, method: Method, start: NDArray, tolerance: float = EXACT) -> Minimum | None:
    """Return the minimum that one start leads to; None where the law is not defined there.

    ``method.delta`` must be set for Huber's loss.
    """
    positive = np.array([name not in method.signed for name in formula.parameters])
    internal = np.where(positive, np.log(np.where(positive, start, 1.0)), start)
    nowhere = np.full(len(points), 1e6)

    def values_at(theta: NDArray) -> NDArray:
        return np.where(positive, np.exp(np.clip(np.where(positive, theta, 0.0), -700, 700)), theta)

    def evaluate(theta: NDArray) -> tuple[NDArray, NDArray] | None:
        values = values_at(theta)
        law, slopes = formula(points.columns, values)
        with np.errstate(all="ignore"):  # what is not finite is refused below
            slopes = slopes * np.where(positive, values, 1.0)
            if method.scale == "log":
                if not np.all(law > 0):
                    return None
                law, slopes = np.log(law), slopes / law[:, None]
        if not (np.isfinite(law).all() and np.isfinite(slopes).all()):
            return None
        return law - _response(points, method), slopes

    last: list[tuple[bytes, tuple[NDArray, NDArray] | None]] = []

    def cached(theta: NDArray):  # scipy asks for the residuals and for their derivatives one after the other
        key = theta.tobytes()
        if not last or last[0][0] != key:
            last[:] = [(key, evaluate(theta))]
        return last[0][1]

    def residual(theta: NDArray) -> NDArray:
        result = cached(theta)
        return nowhere if result is None else result[0]

    def jacobian(theta: NDArray) -> NDArray:
        result = cached(theta)
        return np.zeros((len(points), len(theta))) if result is None else result[1]

    if evaluate(internal) is None:
        return None
    with np.errstate(all="ignore"):  # steps of the search may overflow, and are shortened then
        solution = least_squares(
            residual, internal, jac=jacobian, x_scale="jac", loss="huber" if method.loss == "huber" else "linear",
            f_scale=method.delta or 1.0, max_nfev=_MOST_STEPS, xtol=tolerance, ftol=tolerance, gtol=tolerance,
        )  # fmt: skip
    if evaluate(solution.x) is None:
        return None
    return Minimum(values_at(solution.x), float(solution.cost), 1)


def residuals_of(formula: Formula, points: Points, method: Method, values: NDArray) -> NDArray:
    """Return measured minus fitted, in the scale of the fit; NaN where the law is not defined. Shape (n,)."""
    law = formula(points.columns, values)[0]
    if method.scale == "log":
        law = np.log(np.where(law > 0, law, np.nan))
    return _response(points, method) - law


def losses(residuals: NDArray, method: Method) -> NDArray:
    """Return the loss of each residual, in units in which small residuals count by half their square."""
    size = np.abs(residuals)
    if method.loss == "squares" or method.delta is None:
        return size**2 / 2
    return np.where(size <= method.delta, size**2 / 2, method.delta * (size - method.delta / 2))


def robust_deviation(residuals: NDArray, parameters: int) -> float:
    """Return the standard deviation of normal noise from the median size of the residuals.

    ``parameters`` of them are taken up by the fit: Huber's correction n/(n - k) of the variance.
    """
    count = len(residuals)
    return _NORMAL_MAD * float(np.median(np.abs(residuals))) * math.sqrt(count / max(count - parameters, 1))


def _response(points: Points, method: Method) -> NDArray:
    return np.log(points.response) if method.scale == "log" else points.response


def _unit(points: Points, method: Method) -> float:
    return 1.0 if method.scale == "log" else float(np.median(np.abs(points.response))) or 1.0


def _distinct(minima: Sequence[Minimum], least: float) -> tuple[Minimum, ...]:
    """Merge minima of one cost; costs below ``least`` are rounding."""
    result: list[Minimum] = []
    for minimum in sorted(minima, key=lambda m: m.cost):
        if result and minimum.cost - result[-1].cost <= max(SAME_COST * result[-1].cost, least):
            result[-1] = dataclasses.replace(result[-1], reached=result[-1].reached + 1)
        else:
            result.append(minimum)
    return tuple(result)


def _draw_starts(formula: Formula, points: Points, method: Method) -> list[NDArray]:
    """Draw the nonlinear parameters; the coefficients follow from them."""
    rng = np.random.default_rng(method.seed)
    coefficients = [name for name in formula.linear if name not in method.start]
    order = {name: i for i, name in enumerate(formula.parameters)}
    starts = []
    for _ in range(method.starts):
        values = np.ones(len(order))
        for name, i in order.items():
            if name not in coefficients:
                values[i] = _draw(name, formula, points, method, rng)
        _solve_coefficients(values, [order[name] for name in coefficients], formula, points, method)
        starts.append(values)
    return starts


def _draw(name: str, formula: Formula, points: Points, method: Method, rng: np.random.Generator) -> float:
    if name in method.start:
        low, high = method.start[name]
        return float(np.exp(rng.uniform(np.log(low), np.log(high))) if low > 0 and high / low > 100
                     else rng.uniform(low, high))  # fmt: skip
    if name in formula.exponents:
        value = float(rng.uniform(*_EXPONENTS)) + 1e-3
        return value * float(rng.choice([-1, 1])) if name in method.signed else value
    sizes = np.concatenate([np.abs(column[column != 0]) for column in points.columns.values()])
    low, high = (float(sizes.min()), float(sizes.max())) if len(sizes) else (1.0, 1.0)
    return float(np.exp(rng.uniform(np.log(low * _SCALE_BELOW), np.log(high * _SCALE_ABOVE))))


def _solve_coefficients(
    values: NDArray, which: Sequence[int], formula: Formula, points: Points, method: Method
) -> None:
    """Set the coefficients to what fits best, in place; those that vanish get a small share of the response."""
    if not which:
        return
    at_zero = values.copy()
    at_zero[list(which)] = 0.0
    constant, slopes = formula(points.columns, at_zero)
    design = slopes[:, list(which)]
    weight = 1 / np.abs(points.response) if method.scale == "log" else np.ones(len(points))
    design, target = design * weight[:, None], (points.response - constant) * weight
    if not (np.isfinite(design).all() and np.isfinite(target).all()):
        return
    size = np.linalg.norm(design, axis=0)
    size[size == 0] = 1.0
    if any(formula.parameters[i] in method.signed for i in which):
        solution = np.linalg.lstsq(design / size, target, rcond=None)[0]
    else:
        solution = nnls(design / size, target)[0]
    least = 1e-3 * float(np.linalg.norm(target))
    signed = np.array([formula.parameters[i] in method.signed for i in which])
    values[list(which)] = np.where(signed, solution, np.maximum(solution, least)) / size


def _check(formula: Formula, points: Points, method: Method) -> None:
    needed = len(formula.parameters) + 2
    if len(points) < needed:
        problem = f"there are {len(points)} points for {len(formula.parameters)} parameters"
        raise InputError("law", formula.text, problem, f"Give at least {needed}")
    for field, names in (("signed", method.signed), ("start", tuple(method.start))):
        unknown = [name for name in names if name not in formula.parameters]
        if unknown:
            remedy = f"Use one of {', '.join(formula.parameters)}"
            raise InputError(field, unknown[0], f"there is no such parameter in {formula.text!r}", remedy)
