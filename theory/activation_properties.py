"""What theory needs to know of an activation, worked out once: slopes, kinks, degrees, normalisation, limits."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import sympy

from theory import asymptotics, black_box, functions
from theory.activation_refusals import (
    CONSTANT_REMEDY,
    DECAY_REMEDY,
    FEWER_KINKS,
    JUMP_REMEDY,
    SCALE_REMEDY,
    infinite_slope,
    overflow,
    refusal,
)
from theory.evaluation import numpy_value
from theory.expression import parse, slope
from theory.gauss import gaussian_mean
from theory.power_ranges import PowerRange, power_ranges

_ASIDE = 1e-7  #: relative distance at which one-sided slopes are taken
LARGEST = 1e6  #: sigma and sigma' must be finite for |z| up to this
#: Kinks further out than this are beyond the reach of Gaussian means, and left out where there are many.
_NEAR = 40.0
_MOST_KINKS = 1000
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
    power_ranges: tuple[PowerRange, ...]


@functools.lru_cache(maxsize=256)
def properties_of(formula: str) -> Properties:
    """Work out the properties of a formula, or of a function that is registered under this name.

    Raises
    ------
    InputError
        If theory can't say anything about it: see `theory.activation.Activation`.
    """
    if black_box.is_function_name(formula):
        return _numerical_properties(formula)
    expression = parse(formula)
    derivative = slope(expression)
    _check_finite(formula, expression, derivative)
    kinks = _kinks(formula, expression, derivative)
    if derivative.is_zero:
        raise refusal(formula, "it is constant", CONSTANT_REMEDY)
    growths = [asymptotics.growth(expression, side) for side in (-1, 1)]
    degrees = []
    for growth, side in zip(growths, ("-infinity", "+infinity"), strict=True):
        if growth.degree is None:
            raise refusal(formula, f"towards {side} it {growth.problem}", growth.remedy or asymptotics.GROWTH_REMEDY)
        degrees.append(growth.degree)
    second_moment = gaussian_mean(lambda z: numpy_value(expression, z) ** 2, kinks)
    if not 1e-200 < second_moment < math.inf:
        raise refusal(formula, "its second moment under N(0, 1) is not a positive number", SCALE_REMEDY)
    return Properties(
        expression=expression,
        derivative=derivative,
        kinks=kinks,
        normalisation=second_moment**-0.5,
        degrees=(degrees[0], degrees[1]),
        saturation=_slower(degrees, [asymptotics.saturation(expression, side) for side in (-1, 1)]),
        homogeneous=asymptotics.homogeneous(expression, max(degrees)),
        parity=_parity(expression),
        switches=_switches(expression, [asymptotics.limit(expression, side) for side in (-1, 1)]),
        kink_strength=_kink_strength(derivative, kinks, second_moment),
        power_ranges=power_ranges(expression, max(degrees)),
    )


def _numerical_properties(name: str) -> Properties:
    """The same of a function that is no formula; its kinks and degrees are those that its values show."""
    function = black_box.registered_function(name)
    if function is None:
        raise black_box.not_loaded(name)
    expression, derivative = function.expression, function.derivative
    _check_finite(name, expression, derivative)
    grid = _grid()
    for z in black_box.jumps(expression, grid, 1e-9):
        _slopes_beside(name, expression, derivative, float(z))
    if not np.any(numpy_value(derivative, grid)):
        raise refusal(name, "it is constant", CONSTANT_REMEDY)
    kinks = tuple(float(z) for z in black_box.jumps(derivative, grid, 1e-5))
    if len(kinks) > _MOST_KINKS:
        raise refusal(name, "it has too many kinks", FEWER_KINKS)
    degrees = []
    for side, limit in ((-1, "-infinity"), (1, "+infinity")):
        degree = black_box.degree(expression, side)
        if degree is None:
            raise refusal(
                name,
                f"towards {limit} its degree does not settle: up to |z| = 1e6 it is no power of z",
                asymptotics.GROWTH_REMEDY,
            )
        degrees.append(degree)
    second_moment = gaussian_mean(lambda z: numpy_value(expression, z) ** 2, kinks)
    if not 1e-200 < second_moment < math.inf:
        raise refusal(name, "its second moment under N(0, 1) is not a positive number", SCALE_REMEDY)
    return Properties(
        expression=expression,
        derivative=derivative,
        kinks=kinks,
        normalisation=second_moment**-0.5,
        degrees=(degrees[0], degrees[1]),
        saturation=_slower(degrees, [black_box.saturation(expression, side) for side in (-1, 1)]),
        homogeneous=black_box.homogeneous(expression, max(degrees)),
        parity=_parity(expression),
        switches=_switches(expression, [black_box.limit(expression, side) for side in (-1, 1)]),
        kink_strength=_kink_strength(derivative, kinks, second_moment),
        power_ranges=power_ranges(expression, max(degrees), arrays=True),
    )


def _switches(expression: sympy.Expr, limits: list[float | None]) -> bool:
    """Whether both limits exist, and the step between them is no small part of what sigma does on the way."""
    left, right = limits
    if left is None or right is None:
        return False
    return bool(abs(right - left) > _SMALLEST_STEP * np.max(np.abs(numpy_value(expression, _grid()))))


def _kink_strength(derivative: sympy.Expr, kinks: tuple[float, ...], second_moment: float) -> float:
    if not kinks:
        return 0.0
    z = np.array(kinks)
    aside = _ASIDE * (1 + np.abs(z))
    jumps = numpy_value(derivative, z + aside) - numpy_value(derivative, z - aside)
    relu = 2.0  # its c² J² with a kink at 0, J = 1
    strength = np.sum(jumps**2 * np.exp(-(z**2) / 2)) / second_moment / relu
    return float(f"{strength:.6g}")  # kinks of black boxes are known to rounding only


def _slower(degrees: list[sympy.Rational], powers: list[sympy.Rational | None]) -> sympy.Rational | None:
    """The slower of the two sides' approaches to their bounds; None for an unbounded activation."""
    finite = [power for power in powers if power is not None]
    return min(finite) if finite and max(degrees) == 0 else None


def clear_cached_properties() -> None:
    """Let properties be worked out anew when they are next asked for: a function may have been registered again."""
    properties_of.cache_clear()


def _grid() -> np.ndarray:
    positive = np.concatenate([np.linspace(0.0, 20.0, 4001)[1:], np.geomspace(20.0, LARGEST, 1001)[1:]])
    return np.concatenate([-positive[::-1], [0.0], positive])


def _check_finite(formula: str, expression: sympy.Expr, derivative: sympy.Expr) -> None:
    grid = _grid()
    values = numpy_value(expression, grid)
    for function, computed in (("sigma", values), ("sigma'", numpy_value(derivative, grid))):
        bad = grid[~np.isfinite(computed)]
        if len(bad) == 0:
            continue
        z = bad[np.argmin(np.abs(bad))]
        if function == "sigma" and abs(z) > 1 and _no_second_moment(expression, z):
            raise refusal(formula, "it has no finite second moment under N(0, 1)", asymptotics.GROWTH_REMEDY)
        problem = f"{function} is not a finite real number at z = {z:.6g} (needed for |z| <= 1e6)"
        if function == "sigma":
            finite_before = abs(z) > 20 and np.all(np.isfinite(values[np.abs(grid) < abs(z)]))
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


def _kinks(formula: str, expression: sympy.Expr, derivative: sympy.Expr) -> tuple[float, ...]:
    """Find the zeros of every argument that switches a branch, and keep those at which sigma' jumps."""
    switching = (functions.step, functions.signum, functions.absolute, functions.relu, functions.select)
    arguments = {node.args[0] for e in (expression, derivative) for node in e.atoms(*switching)}
    candidates: set[float] = set()
    grid = _grid()
    for argument in arguments:
        values = numpy_value(argument, grid)
        candidates.update(grid[values == 0.0])
        for i in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0):
            root = scipy.optimize.brentq(
                lambda z, a=argument: float(numpy_value(a, z)), grid[i], grid[i + 1], xtol=1e-14, maxiter=1000
            )  # more than the default of 100: it is slow at a triple root
            candidates.add(root)
    kinks: list[float] = []
    for z in sorted(candidates):
        if kinks and z - kinks[-1] < 1e-9 * (1 + abs(z)):
            continue
        slope_below, slope_above = _slopes_beside(formula, expression, derivative, z)
        steepest = max(abs(slope_below), abs(slope_above))
        if abs(slope_above - slope_below) > 1e-5 * (1 + steepest):
            kinks.append(float(z))
    if len(kinks) > _MOST_KINKS // 10:
        kinks = [z for z in kinks if abs(z) <= _NEAR]
    if len(kinks) > _MOST_KINKS:
        raise refusal(formula, "it has too many kinks", FEWER_KINKS)
    return tuple(kinks)


def _slopes_beside(formula: str, expression: sympy.Expr, derivative: sympy.Expr, z: float) -> tuple[float, float]:
    """Return sigma' to the left and to the right of a point, at which sigma must not jump."""
    aside = _ASIDE * (1 + abs(z))
    below, above = (float(numpy_value(expression, z + d)) for d in (-aside, aside))
    slopes = (float(numpy_value(derivative, z - aside)), float(numpy_value(derivative, z + aside)))
    if abs(above - below) > 4 * aside * max(abs(s) for s in slopes) + 1e-9 * (1 + abs(above)):
        raise refusal(formula, f"it jumps at z = {z:.6g}, so it has no gradient flow", JUMP_REMEDY)
    return slopes


def _parity(expression: sympy.Expr) -> str | None:
    z = np.array([0.037, 0.41, 1.3, 2.9, 7.7, 31.0])
    right, left = numpy_value(expression, z), numpy_value(expression, -z)
    scale = 1e-13 * (np.abs(right) + np.abs(left))
    if np.all(np.abs(right - left) <= scale):
        return "even"
    return "odd" if np.all(np.abs(right + left) <= scale) else None
