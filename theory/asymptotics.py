"""How an activation grows: its degree on each side, in arithmetic of many digits instead of symbolic limits.

Symbolic limits of formulas that users write may take for ever. Here sigma is evaluated in 150 digits at |z| = 1e30 and
1e60: there, what grows as a power shows its exponent to thirty digits, logarithms show slopes that move, and
oscillations slopes that scatter. What fits none of these is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import sympy

from theory.evaluation import MPMATH, compiled, mpmath_value

_DIGITS = 150
_DECADES = (30, 60)
_MULTIPLES = (1.0, 1.37, 2.03, 3.31, 5.09, 7.77)
_SAMPLES = tuple(1.0 + 0.231 * i for i in range(39))  # many, so that the largest of an oscillation is near its bound
_SETTLED_DECADES = (15, 30)  # where bounded activations are asked how they near their bound
_LARGEST_DENOMINATOR = 24

DOMAIN_REMEDY = "Keep divisors away from 0 and the arguments of log and sqrt positive, as in sqrt(1 + z**2)"
GROWTH_REMEDY = "Choose an activation that grows at most as a power of |z|, such as relu, softplus, gelu or z**3"
_OSCILLATION_REMEDY = "Bound what oscillates, as in z + sin(z)"
_LOGARITHM_REMEDY = (
    "Take a power instead, such as z*(1 + z**2)**(-1/4), which grows as the root, or a bounded function, such as tanh "
    "or atan"
)


@dataclass(frozen=True)
class Growth:
    """|sigma| ~ |z|**degree on one side; where there is no such law ``degree`` is None, ``problem`` a clause that says
    why, and ``remedy`` a sentence that says what to write instead."""

    degree: sympy.Rational | None
    problem: str | None = None
    remedy: str = GROWTH_REMEDY


def growth(expression: sympy.Expr, side: int) -> Growth:
    """Return how ``expression`` grows for z -> +infinity (``side`` = 1) or -infinity (-1).

    Degree 0 is a bounded side, whether it tends to a constant, to zero, or oscillates.
    """
    with mpmath.workdps(_DIGITS):
        near, far = (_sizes(expression, side, decade, _MULTIPLES) for decade in _DECADES)
        if None in near or None in far:
            return Growth(None, problem="it is not finite and real everywhere", remedy=DOMAIN_REMEDY)
        reach = [max(_sizes(expression, side, decade, _SAMPLES)) for decade in _DECADES]
        if reach[1] <= 1.05 * reach[0]:
            return Growth(sympy.S.Zero)
        if min(near) == 0 or min(far) == 0:
            return Growth(None, problem="it oscillates with a growing size", remedy=_OSCILLATION_REMEDY)
        slopes = [_slopes(values) for values in (near, far)]
        overall = (mpmath.log(max(far)) - mpmath.log(max(near))) / (mpmath.log(10) * (_DECADES[1] - _DECADES[0]))
        if overall > 100:
            return Growth(None, problem="it grows faster than any power", remedy=GROWTH_REMEDY)
        exponent = Fraction(float(overall)).limit_denominator(_LARGEST_DENOMINATOR)
        # a correction of relative size |z|**(-1/2) is 1e-15 here; a logarithm moves a slope by 1/ln|z| > 5e-3
        if all(abs(slope - float(exponent)) < 1e-6 for pair in slopes for slope in pair) and exponent > 0:
            return Growth(sympy.Rational(exponent.numerator, exponent.denominator))
        spread = max(max(pair) - min(pair) for pair in slopes)
        if spread > 0.1:
            return Growth(None, problem="it oscillates with a growing size", remedy=_OSCILLATION_REMEDY)
        logarithm = abs(float(far[0] / near[0]) * _DECADES[0] / _DECADES[1] - 1) < 0.05
        grows = (
            "it grows as the logarithm of |z|, which is no power"
            if logarithm
            else "it is unbounded without being a power of |z|"
        )
        return Growth(None, problem=grows, remedy=_LOGARITHM_REMEDY)


def limit(expression: sympy.Expr, side: int) -> float | None:
    """Return what a side tends to, as far as |z| = 1e60 shows; None if it is unbounded or oscillates."""
    with mpmath.workdps(_DIGITS):
        function = compiled((expression,), MPMATH)
        values = []
        for decade in _DECADES:
            for multiple in _MULTIPLES:
                (value,) = function(side * mpmath.mpf(10) ** decade * multiple)
                if not isinstance(value, mpmath.mpf) or not mpmath.isfinite(value):
                    return None
                values.append(value)
        settled = max(values) - min(values) <= 1e-3 * (1 + max(abs(v) for v in values))
        return float(values[-1]) if settled else None


def saturation(expression: sympy.Expr, side: int) -> sympy.Rational | None:
    """Return p if a bounded side nears a limit as |z|**-p; None if it does so faster, or does not settle.

    From differences of values at |z| = m, 2m and 4m, in which the limit drops out.
    """
    with mpmath.workdps(_DIGITS):
        function = compiled((expression,), MPMATH)
        slopes = []
        for decade in _SETTLED_DECADES:
            values = [function(side * mpmath.mpf(10) ** decade * m)[0] for m in (1, 2, 4)]
            first, second = values[1] - values[0], values[2] - values[1]
            if abs(second) < mpmath.mpf(10) ** (10 - _DIGITS) or first == 0:
                return None
            slopes.append(float(mpmath.log(abs(first / second), 2)))
    return settled(slopes, 1e-6, _LARGEST_DENOMINATOR)


def settled(slopes: list[float], tolerance: float, largest_denominator: int) -> sympy.Rational | None:
    """Return the positive rational that all slopes are within ``tolerance`` of, if there is one."""
    nearest = Fraction(slopes[-1]).limit_denominator(largest_denominator)
    if nearest <= 0 or any(abs(slope - float(nearest)) > tolerance for slope in slopes):
        return None
    return sympy.Rational(nearest.numerator, nearest.denominator)


def homogeneous(expression: sympy.Expr, degree: sympy.Rational) -> bool:
    """Return whether sigma(lambda z) = lambda**degree sigma(z) for all lambda > 0, to 40 digits at some points."""
    with mpmath.workdps(60):
        scale, power = mpmath.mpf("2.71"), mpmath.mpmathify(degree.evalf(60))
        for point in ("-3.3", "-0.41", "-0.02", "0.03", "0.57", "4.1"):
            value = mpmath_value(expression, mpmath.mpf(point))
            scaled = mpmath_value(expression, scale * mpmath.mpf(point))
            if abs(scaled - scale**power * value) > mpmath.mpf(10) ** -40 * (1 + abs(value)):
                return False
    return True


def _sizes(expression: sympy.Expr, side: int, decade: int, multiples: tuple[float, ...]) -> list:
    function = compiled((expression,), MPMATH)
    return [_size(function, side * mpmath.mpf(10) ** decade * m) for m in multiples]


def _size(function: Callable, z: mpmath.mpf) -> mpmath.mpf | None:
    try:
        (value,) = function(z)
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
    return abs(value) if isinstance(value, mpmath.mpf) and mpmath.isfinite(value) else None


def _slopes(values: list[mpmath.mpf]) -> list[float]:
    logs = [mpmath.log(m) for m in _MULTIPLES]
    return [
        float((mpmath.log(v2) - mpmath.log(v1)) / (l2 - l1))
        for v1, v2, l1, l2 in zip(values, values[1:], logs, logs[1:], strict=False)
    ]
