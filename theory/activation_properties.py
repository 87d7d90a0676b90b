"""What theory needs to know of an activation, worked out once: slopes, kinks, degrees, normalisation, limits."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import sympy

from theory import asymptotics, black_box
from theory.activation_refusals import (
    CONSTANT_REMEDY,
    DECAY_REMEDY,
    SCALE_REMEDY,
    infinite_slope,
    overflow,
    refusal,
)
from theory.evaluation import numpy_value
from theory.expression import parse, slope
from theory.gauss import gaussian_mean
from theory.kinks import kink_strength, kinks_of_formula, kinks_of_values, sample_points
from theory.power_ranges import PowerRange, power_ranges

#: Of the largest |sigma|: a smaller difference of the two limits makes no switch of a neuron.
_SMALLEST_STEP = 0.1


@dataclass(frozen=True)
class Properties:
    """As the properties of `theory.activation.Activation`; ``degrees`` are those of the left and the right side."""

    expression: sympy.Expr
    derivative: sympy.Expr
    kinks: tuple[float, ...]
    normalisation: float
    degrees: tuple[sympy.Rational, sympy.Rational]
    saturation: sympy.Rational | None
    homogeneous: bool
    parity: str | None
    switches: bool
    kink_strength: float
    susceptibility: float
    power_ranges: tuple[PowerRange, ...]


class _Asymptotics(Protocol):
    """How sigma behaves at infinity: `theory.asymptotics` for formulas, `theory.black_box` for values alone."""

    def growth(self, expression: sympy.Expr, side: int, /) -> asymptotics.Growth: ...
    def limit(self, expression: sympy.Expr, side: int, /) -> float | None: ...
    def saturation(self, expression: sympy.Expr, side: int, /) -> sympy.Rational | None: ...
    def homogeneous(self, expression: sympy.Expr, degree: sympy.Rational, /) -> bool: ...


@functools.lru_cache(maxsize=256)
def properties_of(formula: str) -> Properties:
    """Work out the properties of a formula, or of a function that is registered under this name.

    A function that is no formula has the kinks and degrees that its values show.

    Raises
    ------
    InputError
        If theory can't say anything about it: see `theory.activation.Activation`.
    """
    at_infinity: _Asymptotics
    is_formula = not black_box.is_function_name(formula)
    if is_formula:
        expression = parse(formula)
        derivative, at_infinity, find_kinks = slope(expression), asymptotics, kinks_of_formula
    else:
        function = black_box.registered_function(formula)
        if function is None:
            raise black_box.not_loaded(formula)
        expression, derivative = function.expression, function.derivative
        at_infinity, find_kinks = black_box, kinks_of_values
    _check_finite(formula, expression, derivative)
    kinks = find_kinks(formula, expression, derivative)
    if derivative.is_zero if is_formula else not np.any(numpy_value(derivative, sample_points())):
        raise refusal(formula, "it is constant", CONSTANT_REMEDY)
    degrees = _degrees(formula, expression, at_infinity)
    second_moment = gaussian_mean(lambda z: numpy_value(expression, z) ** 2, kinks)
    if not 1e-200 < second_moment < math.inf:
        raise refusal(formula, "its second moment under N(0, 1) is not a positive number", SCALE_REMEDY)
    return Properties(
        expression=expression,
        derivative=derivative,
        kinks=kinks,
        normalisation=second_moment**-0.5,
        degrees=degrees,
        saturation=_slower(degrees, [at_infinity.saturation(expression, side) for side in (-1, 1)]),
        homogeneous=at_infinity.homogeneous(expression, max(degrees)),
        parity=_parity(expression),
        switches=_switches(expression, [at_infinity.limit(expression, side) for side in (-1, 1)]),
        kink_strength=kink_strength(derivative, kinks, second_moment),
        susceptibility=gaussian_mean(lambda z: numpy_value(derivative, z) ** 2, kinks) / second_moment,
        power_ranges=power_ranges(expression, max(degrees), arrays=not is_formula),
    )


def clear_cached_properties() -> None:
    """Let properties be worked out anew when they are next asked for: a function may have been registered again."""
    properties_of.cache_clear()


def _degrees(formula: str, expression: sympy.Expr, at_infinity: _Asymptotics) -> tuple[sympy.Rational, sympy.Rational]:
    """Return the degrees on the left and on the right, or refuse what has none."""
    left, right = (at_infinity.growth(expression, side) for side in (-1, 1))
    for growth, side in ((left, "-infinity"), (right, "+infinity")):
        if growth.degree is None:
            raise refusal(formula, f"towards {side} {growth.problem}", growth.remedy)
    return left.degree, right.degree


def _switches(expression: sympy.Expr, limits: list[float | None]) -> bool:
    """Whether both limits exist, and the step between them is no small part of what sigma does on the way."""
    left, right = limits
    if left is None or right is None:
        return False
    return bool(abs(right - left) > _SMALLEST_STEP * np.max(np.abs(numpy_value(expression, sample_points()))))


def _slower(degrees: tuple[sympy.Rational, ...], powers: list[sympy.Rational | None]) -> sympy.Rational | None:
    """The slower of the two sides' approaches to their bounds; None for an unbounded activation."""
    finite = [power for power in powers if power is not None]
    return min(finite) if finite and max(degrees) == 0 else None


def _check_finite(formula: str, expression: sympy.Expr, derivative: sympy.Expr) -> None:
    points = sample_points()
    values = numpy_value(expression, points)
    for function, computed in (("sigma", values), ("sigma'", numpy_value(derivative, points))):
        bad = points[~np.isfinite(computed)]
        if len(bad) == 0:
            continue
        z = bad[np.argmin(np.abs(bad))]
        if function == "sigma" and abs(z) > 1 and _no_second_moment(expression, z):
            raise refusal(formula, "it has no finite second moment under N(0, 1)", asymptotics.GROWTH_REMEDY)
        problem = f"{function} is not a finite real number at z = {z:.6g} (needed for |z| <= 1e6)"
        if function == "sigma":
            finite_before = abs(z) > 20 and np.all(np.isfinite(values[np.abs(points) < abs(z)]))
            if finite_before and not black_box.is_function_name(formula):
                raise overflow(formula, expression, float(z), _parity(expression))
            raise refusal(formula, problem, asymptotics.GROWTH_REMEDY if finite_before else asymptotics.DOMAIN_REMEDY)
        if abs(z) < 20:
            raise infinite_slope(formula, expression, float(z), _parity(expression))
        raise refusal(formula, problem, DECAY_REMEDY)


def _no_second_moment(expression: sympy.Expr, overflow: float) -> bool:
    """sigma² exp(-z²/2) grows on the way to where sigma overflows."""
    z = overflow * np.array([0.25, 0.5, 0.9])
    with np.errstate(all="ignore"):
        exponent = 2.0 * np.log(np.abs(numpy_value(expression, z))) - z**2 / 2
    return bool(np.all(np.isfinite(exponent)) and np.all(np.diff(exponent) > 0) and exponent[-1] > 0)


def _parity(expression: sympy.Expr) -> str | None:
    z = np.array([0.037, 0.41, 1.3, 2.9, 7.7, 31.0])
    right, left = numpy_value(expression, z), numpy_value(expression, -z)
    scale = 1e-13 * (np.abs(right) + np.abs(left))
    if np.all(np.abs(right - left) <= scale):
        return "even"
    return "odd" if np.all(np.abs(right + left) <= scale) else None
