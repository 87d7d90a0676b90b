"""Evaluate an activation's expression: one walk over the tree, one table of operations for each kind of number."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import scipy.special
import sympy

from theory import functions
from theory.expression import z

Table = Mapping[Any, Callable]


def compiled(expressions: tuple[sympy.Expr, ...], table: Table) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function of ``z`` that evaluates several expressions at once; what they share is computed once.

    ``table`` maps sympy's function classes to operations on one kind of number, ``sympy.Pow`` to the power with a
    sympy number as exponent, and ``float`` to what turns a sympy number into a constant of that kind.
    """
    slots: dict[sympy.Expr, int] = {z: 0}
    program: list[tuple[Callable, tuple[int, ...]]] = []

    def slot(node: sympy.Expr) -> int:
        if node not in slots:
            step = instruction(node)
            slots[node] = 1 + len(program)
            program.append(step)
        return slots[node]

    def instruction(node: sympy.Expr) -> tuple[Callable, tuple[int, ...]]:
        if node.is_number:
            constant = table[float](node)
            return (lambda: constant), ()
        if isinstance(node, sympy.Add | sympy.Mul):
            # numbers first, so that they meet a small intermediate result and not a large one twice
            operation = operator.add if isinstance(node, sympy.Add) else operator.mul
            first, rest = node.args[0], node.func(*node.args[1:], evaluate=False)
            return operation, (slot(first), slot(rest if len(node.args) > 2 else node.args[1]))
        if isinstance(node, sympy.Pow):
            power, exponent = table[sympy.Pow], node.exp
            return (lambda base: power(base, exponent)), (slot(node.base),)
        if node.func not in table:
            raise NotImplementedError(f"no operation for {node.func}")
        return table[node.func], tuple(slot(argument) for argument in node.args)

    results = tuple(slot(expression) for expression in expressions)

    def run(value: Any) -> tuple[Any, ...]:
        values = [value]
        for operation, operands in program:
            values.append(operation(*(values[i] for i in operands)))
        return tuple(values[i] for i in results)

    return run


def _power(base: Any, exponent: sympy.Expr) -> Any:
    if exponent == sympy.Rational(1, 2):
        return np.sqrt(base)
    return base ** int(exponent) if exponent.is_Integer and exponent > 0 else np.power(base, float(exponent))


def _switch(condition: Any, positive: Any, otherwise: Any) -> Any:
    """A branch; where the condition itself has no value, nor has the result."""
    return np.where(np.isnan(condition), np.nan, np.where(condition > 0, positive, otherwise))


NUMPY: Table = {
    float: float,
    sympy.Pow: _power,
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tanh: np.tanh,
    sympy.atan: np.arctan,
    sympy.asinh: np.arcsinh,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.erf: scipy.special.erf,
    sympy.erfc: scipy.special.erfc,
    functions.step: lambda x: _switch(x, 1.0, 0.0),
    functions.signum: lambda x: _switch(x, 1.0, -1.0),
    functions.absolute: np.abs,
    functions.relu: lambda x: np.maximum(x, 0.0),
    functions.select: lambda c, a, b: _switch(c, a, b),
    functions.logistic: scipy.special.expit,
    functions.softplus: lambda x: np.logaddexp(0.0, x),
}


def _real(value: Any) -> Any:
    """The value of a real function: none where the complex one isn't real."""
    return mpmath.nan if isinstance(value, mpmath.mpc) else value


def _mp_switch(condition: Any, positive: Any, otherwise: Any) -> Any:
    return mpmath.nan if mpmath.isnan(condition) else mpmath.mpmathify(positive if condition > 0 else otherwise)


def _exp(x: Any) -> Any:
    # an exponential as the argument of the next one would fill the memory with the digits of its exponent
    return mpmath.inf if x > 1e70 else mpmath.exp(x)


MPMATH: Table = {
    float: lambda number: mpmath.mpmathify(number.evalf(mpmath.mp.dps + 5)),
    sympy.Pow: lambda base, exponent: _real(base ** mpmath.mpmathify(exponent.evalf(mpmath.mp.dps + 5))),
    sympy.exp: _exp,
    sympy.log: lambda x: _real(mpmath.log(x)),
    sympy.sin: mpmath.sin,
    sympy.cos: mpmath.cos,
    sympy.tanh: mpmath.tanh,
    sympy.atan: mpmath.atan,
    sympy.asinh: mpmath.asinh,
    sympy.sinh: lambda x: (_exp(x) - _exp(-x)) / 2,
    sympy.cosh: lambda x: (_exp(x) + _exp(-x)) / 2,
    sympy.erf: mpmath.erf,
    sympy.erfc: mpmath.erfc,
    functions.step: lambda x: _mp_switch(x, 1, 0),
    functions.signum: lambda x: _mp_switch(x, 1, -1),
    functions.absolute: abs,
    functions.relu: lambda x: _mp_switch(x, x, 0),
    functions.select: _mp_switch,
    functions.logistic: lambda x: _exp(x) / (1 + _exp(x)) if x < 0 else 1 / (1 + _exp(-x)),
    functions.softplus: lambda x: mpmath.log1p(_exp(x)) if x < 0 else x + mpmath.log1p(_exp(-x)),
}


def numpy_value(expression: sympy.Expr, points: Any) -> np.ndarray:
    """Evaluate at float64 points of any shape; what is not finite comes out as such, without warnings."""
    points = np.asarray(points, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.broadcast_to(_numpy_function(expression)(points)[0], points.shape).astype(np.float64)


def mpmath_value(expression: sympy.Expr, value: Any) -> Any:
    """Evaluate at one point in mpmath's current precision."""
    # compiled anew each time: constants carry the digits of the precision
    return compiled((expression,), MPMATH)(mpmath.mpmathify(value))[0]


@functools.lru_cache(maxsize=1024)
def _numpy_function(expression: sympy.Expr) -> Callable[[Any], tuple[Any, ...]]:
    return compiled((expression,), NUMPY)
