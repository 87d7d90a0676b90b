"""Why an activation can't be used, and what to write instead: each reason with a formula that theory takes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import sympy

from lazyrich.errors import InputError
from theory import asymptotics
from theory.evaluation import numpy_value

DECAY_REMEDY = "Write it with exponentials that decay, as in z*exp(-abs(z)) for z/cosh(z)"
FEWER_KINKS = "Choose one with fewer kinks, or a smooth one"
JUMP_REMEDY = "Join the branches, or take a steep smooth step, such as tanh(20*z) for sign(z)"
CONSTANT_REMEDY = "Write a formula that changes with z"
SCALE_REMEDY = "Scale it to values of order one for |z| of order one"
_CUSP_REMEDY = (
    "Round the cusp off, as in (z**2 + 0.01)**(1/4) for sqrt(abs(z)) and z*(z**2 + 0.01)**(-1/8) for "
    "sign(z)*abs(z)**(3/4)"
)
_NEAR_CUSP = 1e-6  #: distance from a cusp at which its power is read off
_LARGEST_DENOMINATOR = 24


def refusal(formula: str, problem: str, remedy: str) -> InputError:
    """Return the error for an activation: ``problem`` is a clause, ``remedy`` a sentence without its full stop."""
    return InputError("activation", formula, problem, remedy)


def infinite_slope(formula: str, expression: sympy.Expr, z: float, parity: str | None) -> InputError:
    """Return the error for a sigma that is finite at a point where its slope is not.

    By its power there, sigma(z + d) - sigma(z) ~ |d|^q: up to q = 1/2 the mean of sigma'² diverges, which every tangent
    kernel contains; for 1/2 < q < 1 it does not, and it is the flow that no integrator takes past the point.
    """
    q = _power_beside(expression, z)
    if q is None or not 0 < q < 1:
        return refusal(
            formula, f"sigma' is not a finite real number at z = {z:.6g} (needed for |z| <= 1e6)", _CUSP_REMEDY
        )
    from_there = "|z|" if z == 0 else f"|z - {z:.6g}|" if z > 0 else f"|z + {-z:.6g}|"
    cusp = f"its slope is infinite at z = {z:.6g}, as {from_there}^({q - 1})"
    if q <= Fraction(1, 2):
        problem = f"{cusp}: the mean of sigma'^2, which every tangent kernel contains, is infinite"
    else:
        problem = f"{cusp}: preactivations pass there infinitely fast, and no integrator follows the flow"
    return refusal(formula, problem, _rounded_off(q, parity) if z == 0 else _CUSP_REMEDY)


def overflow(formula: str, expression: sympy.Expr, z: float, parity: str | None) -> InputError:
    """Return the error for a sigma that overflows at a point, where it is finite before."""
    side = 1 if z > 0 else -1
    if asymptotics.growth(expression, side).degree is not None:
        problem = f"sigma is not a finite real number at z = {z:.6g} (needed for |z| <= 1e6)"
        return refusal(formula, problem, asymptotics.GROWTH_REMEDY)
    problem = f"it grows faster than any power of |z|, and overflows at z = {z:.6g}"
    if parity == "even":
        remedy = "Take sqrt(1 + z**2), which is even too, and grows as |z|"
    elif parity == "odd":
        remedy = "Take 2*z - tanh(z), which is odd too, and grows as |z|"
    elif asymptotics.growth(expression, -side).degree == 0:
        remedy = f"Take softplus({'z' if side > 0 else '-z'}), which is bounded on the same side, and grows as |z|"
    else:
        remedy = asymptotics.GROWTH_REMEDY
    return refusal(formula, problem, remedy)


def _rounded_off(q: Fraction, parity: str | None) -> str:
    even, odd = q / 2, (q - 1) / 2
    if parity == "even":
        return f"Round the cusp off, as in (z**2 + 0.01)**({even})"
    if parity == "odd":
        return f"Round the cusp off, as in z*(z**2 + 0.01)**({odd})"
    return _CUSP_REMEDY


def _power_beside(expression: sympy.Expr, z: float) -> Fraction | None:
    """Return q in sigma(z + d) - sigma(z) ~ |d|^q for small d, on the steeper side; None if it is no simple power."""
    near = _NEAR_CUSP * (1 + abs(z))
    steepest = None
    for side in (-1, 1):
        with np.errstate(all="ignore"):
            start, first, second = numpy_value(expression, np.array([z, z + side * near, z + 2 * side * near]))
        if not (math.isfinite(first) and math.isfinite(second)) or first == start or second == start:
            continue
        power = math.log2(abs((second - start) / (first - start)))
        steepest = power if steepest is None else min(steepest, power)
    if steepest is None:
        return None
    q = Fraction(steepest).limit_denominator(_LARGEST_DENOMINATOR)
    return q if abs(steepest - float(q)) < 1e-3 else None
