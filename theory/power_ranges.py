"""From which size of preactivations on, and up to which, an activation grows as a power: ranges of its local power.

The degree at infinity decides the laws of grown weights only once the weights have carried preactivations to where
sigma has that degree: tanh(z) + 0.01 z is linear from |z| = 600 on, and relu(z) + 1e-6 relu(z)² quadratic from 1e6 on.
Between, a law with the power that sigma has there holds. Both sides count together, as root mean square, and of what
oscillates the envelope.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import numpy as np
import sympy

from theory.evaluation import MPMATH, compiled, numpy_value

#: A local power this close to k counts as k: a = 2 - 2/D moves by half the distance between depths, or less.
TOLERANCE = 0.1
#: A range shorter than this factor holds no law that could be measured.
SHORTEST = 100.0
_PER_OCTAVE = 2
_LOWEST, _HIGHEST = -2, 100  #: octaves of |z|; growth at infinity is that of 1e30 = 2^100 and above
_HIGHEST_OF_ARRAYS = 19  #: of functions that are known as arrays of float64, which are trusted up to 1e6
_DIGITS = 60
_LARGEST_DENOMINATOR = 4  #: of a power in between; that at infinity is given


@dataclass(frozen=True)
class PowerRange:
    """sigma grows as |z|^degree for low <= |z| <= high; ``high`` is infinite for the degree at infinity."""

    degree: sympy.Rational
    low: float
    high: float


def power_ranges(expression: sympy.Expr, degree: sympy.Rational, *, arrays: bool = False) -> tuple[PowerRange, ...]:
    """Return the ranges of |z| in which sigma is nearly a power, ascending; the last one reaches infinity.

    That of a bounded sigma starts where it has reached half of its bound.

    Parameters
    ----------
    expression : sympy.Expr
    degree : sympy.Rational
        The degree at infinity.
    arrays : bool
        Whether the expression is known as a function of float64 arrays only.

    Examples
    --------
    >>> from theory.expression import parse
    >>> [(str(r.degree), round(r.low, 2), r.high) for r in power_ranges(parse("relu(z)**2"), sympy.Integer(2))]
    [('2', 0.25, inf)]
    """
    octaves = np.arange(_LOWEST * _PER_OCTAVE, (_HIGHEST_OF_ARRAYS if arrays else _HIGHEST) * _PER_OCTAVE + 1)
    sizes = 2.0 ** (octaves / _PER_OCTAVE)
    logs = _logs_of_arrays(expression, sizes) if arrays else _logs_of_many_digits(expression, sizes)
    envelope = np.maximum.accumulate(logs)
    with np.errstate(invalid="ignore"):
        powers = envelope[_PER_OCTAVE:] - envelope[:-_PER_OCTAVE]
    powers = np.where(np.isfinite(powers), powers, np.inf)
    below_half = envelope < envelope[-1] - 1.0
    not_yet = below_half if degree == 0 else np.abs(powers - float(degree)) > TOLERANCE
    onset = 1 + int(np.flatnonzero(not_yet)[-1]) if not_yet.any() else 0
    last = PowerRange(degree, float(sizes[min(onset, len(powers) - 1)]), math.inf)
    return (*_between(powers[:onset], sizes), last)


def _between(powers: np.ndarray, sizes: np.ndarray) -> list[PowerRange]:
    ranges = []
    start = 0
    while start < len(powers):
        lengths = {k: _run(powers[start:], k) for k in _candidates(powers[start])}
        k = max(lengths, key=lambda power: lengths[power], default=None)
        if k is None or lengths[k] == 0:
            start += 1
            continue
        low, high = float(sizes[start]), float(sizes[start + lengths[k] - 1])
        if high >= SHORTEST * low:
            ranges.append(PowerRange(sympy.Rational(k.numerator, k.denominator), low, high))
        start += lengths[k]
    return ranges


def _candidates(power: float) -> list[Fraction]:
    if not math.isfinite(power):
        return []
    simple = {Fraction(power).limit_denominator(q) for q in range(1, _LARGEST_DENOMINATOR + 1)}
    return sorted((k for k in simple if k > 0 and abs(power - float(k)) <= TOLERANCE), key=lambda k: k.denominator)


def _run(powers: np.ndarray, k: Fraction) -> int:
    """The number of leading local powers that are near k."""
    away = np.abs(powers - float(k)) > TOLERANCE
    return int(np.argmax(away)) if away.any() else len(powers)


def _logs_of_many_digits(expression: sympy.Expr, sizes: np.ndarray) -> np.ndarray:
    """log2 of the rms of both sides."""
    with mpmath.workdps(_DIGITS):
        function = compiled((expression,), MPMATH)
        return np.array([_log_of(function, mpmath.mpf(float(size))) for size in sizes])


def _log_of(function: Callable, size: mpmath.mpf) -> float:
    try:
        squares = [function(side * size)[0] ** 2 for side in (-1, 1)]
    except (OverflowError, ValueError, ZeroDivisionError):
        return math.nan
    mean = sum(squares) / 2
    return float(mpmath.log(mean, 2) / 2) if mpmath.isfinite(mean) and mean > 0 else -math.inf


def _logs_of_arrays(expression: sympy.Expr, sizes: np.ndarray) -> np.ndarray:
    mean = 0.5 * (numpy_value(expression, sizes) ** 2 + numpy_value(expression, -sizes) ** 2)
    with np.errstate(divide="ignore"):
        return 0.5 * np.log2(mean)
