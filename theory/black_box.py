"""Activations that are functions and not formulas: what theory needs of them, found numerically.

Whoever has such a function (`simulate` has torch's) registers it under a name, ``module:function``, as functions of
float64 arrays. It then is a sympy function that nothing is known of but its values and its derivative's, so that
`theory.Activation` and all that follows from it take the same way as for a formula.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy

from lazyrich.errors import InputError
from theory import asymptotics
from theory.evaluation import NUMPY, numpy_value
from theory.expression import z

Function = Callable[[np.ndarray], np.ndarray]

_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_SETTLED = 2e-3  #: how far a log-slope at |z| = 1e5 to 1e6 may be from the degree, and from that at 1e4 to 1e5
_LARGEST_DENOMINATOR = 6  # rationals are 1/30 apart then, far more than the tolerance
_HALVINGS = 46  # of an interval of the grid: down to rounding


@dataclass(frozen=True)
class Registered:
    """A function as sympy sees it: ``expression`` and ``derivative`` are of the symbol ``z``."""

    expression: sympy.Expr
    derivative: sympy.Expr


_registered: dict[str, Registered] = {}


def is_function_name(text: object) -> bool:
    """Whether the text reads ``module:function``."""
    return isinstance(text, str) and _NAME.fullmatch(text.strip()) is not None


def registered_function(name: str) -> Registered | None:
    """Return what is registered under a name."""
    return _registered.get(name)


def not_loaded(name: str) -> InputError:
    """Return the error for a function that has not been registered in this process."""
    remedy = (
        "Name it in the command that needs it (lazyrich report, simulate repair and reproduce take --activation; "
        "lazyrich theory takes it in place of a formula), or call simulate.register_activation"
    )
    return InputError("activation", name, "this function has not been loaded", remedy)


def register(name: str, value: Function, slope: Function) -> Registered:
    """Make sigma and sigma', functions of float64 arrays of one dimension, known under ``name``."""
    label = name.replace(":", ".")
    derivative = type(f"{label}'", (sympy.Function,), {"nargs": 1, "_latex": _latex(rf"\operatorname{{{label}}}'")})
    function = type(
        label,
        (sympy.Function,),
        {
            "nargs": 1,
            "fdiff": lambda self, argindex=1: derivative(self.args[0]),
            "_latex": _latex(rf"\operatorname{{{label}}}"),
        },
    )
    NUMPY[function], NUMPY[derivative] = _of_any_shape(value), _of_any_shape(slope)  # type: ignore[index]
    _registered[name] = Registered(function(z), derivative(z))
    return _registered[name]


def _latex(symbol: str) -> Callable:
    symbol = symbol.replace("_", r"\_")

    def latex(self, printer, exp=None):
        text = rf"{symbol}\left({printer._print(self.args[0])}\right)"
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    return latex


def _of_any_shape(function: Function) -> Function:
    def evaluate(values: np.ndarray) -> np.ndarray:
        points = np.asarray(values, dtype=np.float64)
        return np.asarray(function(points.ravel()), dtype=np.float64).reshape(points.shape)

    return evaluate


def jumps(expression: sympy.Expr, grid: np.ndarray, smallest: float) -> np.ndarray:
    """Return where a function jumps by more than ``smallest`` of its size, ascending, by bisection on the grid.

    Of two jumps within one interval the larger is found.
    """
    low, high = grid[:-1].copy(), grid[1:].copy()
    below, above = numpy_value(expression, low), numpy_value(expression, high)
    for _ in range(_HALVINGS):
        # what changes less than a jump would is not followed further
        keep = np.abs(above - below) > smallest * (1 + np.maximum(np.abs(above), np.abs(below)))
        low, high, below, above = (array[keep] for array in (low, high, below, above))
        if not len(low):
            break
        middle = 0.5 * (low + high)
        value = numpy_value(expression, middle)
        left = np.abs(value - below) >= np.abs(above - value)
        low, high = np.where(left, low, middle), np.where(left, middle, high)
        below, above = np.where(left, below, value), np.where(left, value, above)
    keep = np.abs(above - below) > smallest * (1 + np.maximum(np.abs(above), np.abs(below)))
    # far from zero the intervals are wide, and a smooth function may still change within them
    keep &= high - low < 1e-9 * (1 + np.abs(high))
    jump_points: list[float] = []
    for point in np.sort(0.5 * (low + high)[keep]):
        point = 0.0 if abs(point) < 1e-12 else float(point)
        if not jump_points or point - jump_points[-1] > 1e-9 * (1 + abs(point)):
            jump_points.append(point)
    return np.array(jump_points)


def growth(expression: sympy.Expr, side: int) -> asymptotics.Growth:
    """Return how sigma grows for z -> +infinity (``side`` = 1) or -infinity (-1), as far as |z| = 1e6 shows.

    The degree is the log-slope between |z| = 1e5 and 1e6, snapped to a rational; there is none if no rational is within
    ``_SETTLED``, or if the slope a decade below is another.
    """
    sizes = [np.abs(numpy_value(expression, side * np.linspace(top / 2, top, 201))) for top in (1e4, 1e5, 1e6)]
    largest = [float(np.max(size)) for size in sizes]
    if largest[2] <= 1.05 * largest[0]:
        return asymptotics.Growth(sympy.S.Zero)
    unsettled = asymptotics.Growth(None, problem="its degree does not settle: up to |z| = 1e6 it is no power of z")
    if min(float(np.min(size)) for size in sizes) == 0.0:
        return unsettled
    before, last = (np.log10(b / a) for a, b in itertools.pairwise(sizes))
    slope = float(np.mean(last))
    nearest = Fraction(slope).limit_denominator(_LARGEST_DENOMINATOR)
    drift = max(abs(slope - float(nearest)), abs(slope - float(np.mean(before))))
    if nearest <= 0 or drift > _SETTLED or max(np.ptp(before), np.ptp(last)) > 10 * _SETTLED:
        return unsettled
    return asymptotics.Growth(sympy.Rational(nearest.numerator, nearest.denominator))


def saturation(expression: sympy.Expr, side: int) -> sympy.Rational | None:
    """Return p if a bounded side nears a limit as |z|**-p up to |z| = 8e3; None if faster, or if it does not settle."""
    slopes = []
    for decade in (2e2, 2e3):
        values = numpy_value(expression, side * decade * np.array([1.0, 2.0, 4.0]))
        first, second = np.abs(np.diff(values))
        if second < 1e-13 * np.max(np.abs(values)) or first == 0:
            return None
        slopes.append(float(np.log2(first / second)))
    return asymptotics.settled(slopes, 10 * _SETTLED, _LARGEST_DENOMINATOR)


def limit(expression: sympy.Expr, side: int) -> float | None:
    """Return what a side tends to, as far as |z| = 1e6 shows; None if it is unbounded or oscillates."""
    values = numpy_value(expression, side * np.geomspace(1e5, 1e6, 101))
    settled = np.ptp(values) <= 1e-3 * (1 + np.max(np.abs(values)))
    return float(values[-1]) if settled else None


def homogeneous(expression: sympy.Expr, power: sympy.Rational) -> bool:
    """Return whether sigma(lambda z) = lambda**power sigma(z) for lambda > 0, to twelve digits at some points."""
    points = np.array([-3.3, -0.41, -0.02, 0.03, 0.57, 4.1])
    value = numpy_value(expression, points)
    gap = np.abs(numpy_value(expression, 2.71 * points) - 2.71 ** float(power) * value)
    return bool(np.all(gap <= 1e-12 * (1e-3 + np.abs(value))))
