"""A scaling law as text, ``loss = E + A/N^alpha + B/D^beta``, as functions of columns and parameters.

User text never reaches ``eval`` or sympy's parsers, which run code: Python's own grammar parses it, and this module
translates the few nodes that it knows.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from lazyrich.errors import InputError

MAX_LENGTH = 400
#: more parameters than this no scaling table bears
MAX_PARAMETERS = 12
_FUNCTIONS = {"log": sympy.log, "exp": sympy.exp, "sqrt": sympy.sqrt}
_REMEDY = (
    "Write column = formula, with columns of the table, parameters, numbers, + - * / ^ and "
    + ", ".join(_FUNCTIONS)
    + ", such as loss = E + A/N^alpha + B/D^beta"
)


@dataclass(frozen=True)
class Formula:
    """A law: what is measured, in which columns, with which parameters."""

    text: str
    response: str  #: the column on the left
    variables: tuple[str, ...]  #: columns on the right, in order of appearance
    parameters: tuple[str, ...]  #: all other names on the right, in order of appearance
    expression: sympy.Expr  #: in the symbols of `symbol`

    def __call__(self, columns: Mapping[str, NDArray], values: NDArray) -> tuple[NDArray, NDArray]:
        """Evaluate the law and its slopes.

        Parameters
        ----------
        columns : mapping of str to ndarray of shape (n,)
            Holds every variable.
        values : ndarray of shape (k,)
            Of the parameters, in their order.

        Returns
        -------
        value : ndarray of shape (n,)
        slopes : ndarray of shape (n, k)
            Derivatives by the parameters. Neither is finite where the law is not defined.
        """
        arguments = [columns[name] for name in self.variables] + list(values)
        count = len(columns[self.variables[0]]) if self.variables else 1
        with np.errstate(all="ignore"):
            results = _compiled(self.expression, self.variables, self.parameters)(*arguments)
        table = np.stack([np.broadcast_to(np.asarray(result, dtype=float), count) for result in results], axis=-1)
        return table[:, 0], table[:, 1:]

    @functools.cached_property
    def linear(self) -> tuple[str, ...]:
        """The parameters in which the law is linear, all at once: coefficients."""
        chosen: list[str] = []
        for name in self.parameters:
            parameter = symbol(name)
            if all(sympy.diff(self.expression, parameter, symbol(other)) == 0 for other in [*chosen, name]):
                chosen.append(name)
        return tuple(chosen)

    @functools.cached_property
    def exponents(self) -> tuple[str, ...]:
        """The parameters that stand in an exponent of something with a variable in it."""
        columns = {symbol(name) for name in self.variables}
        return tuple(
            name
            for name in self.parameters
            if any(
                symbol(name) in power.exp.free_symbols and power.base.free_symbols & columns
                for power in self.expression.atoms(sympy.Pow)
            )
        )


def symbol(name: str) -> sympy.Symbol:
    """Return the symbol of a column or parameter: real; its sign is left open."""
    return sympy.Symbol(name, real=True)


def parse_law(text: str, columns: Collection[str]) -> Formula:
    """Read ``response = formula``; names on the right that are no columns are parameters.

    Raises
    ------
    InputError
        If it can't be read, the response is no column, or there is no parameter.

    Examples
    --------
    >>> law = parse_law("loss = E + A/N^alpha", ["loss", "N"])
    >>> law.response, law.variables, law.parameters, law.linear, law.exponents
    ('loss', ('N',), ('E', 'A', 'alpha'), ('E', 'A'), ('alpha',))
    """
    if not isinstance(text, str) or text.count("=") != 1:
        raise InputError("law", text, "it is no law of the form column = formula", _REMEDY)
    left, right = (side.strip() for side in text.split("="))
    if left not in columns:
        problem = f"there is no column {left!r}" if left.isidentifier() else f"{left!r} is no column"
        raise InputError("law", text, problem, _available(columns))
    expression, names = _translate("law", text, right)
    if left in names:
        raise InputError("law", text, f"{left!r} stands on both sides", _REMEDY)
    variables = tuple(name for name in names if name in columns)
    parameters = tuple(name for name in names if name not in columns)
    if not parameters:
        raise InputError("law", text, "there is no parameter in it: every name is a column", _REMEDY)
    if len(parameters) > MAX_PARAMETERS:
        raise InputError("law", text, f"it has {len(parameters)} parameters", f"Use at most {MAX_PARAMETERS}")
    unused = [name for name in names if symbol(name) not in expression.free_symbols]
    if unused:
        raise InputError("law", text, f"{unused[0]!r} drops out of it", "Leave it out, or mend the formula")
    return Formula(text.strip(), left, variables, parameters, expression)


def parse_expression(field: str, text: str, names: Collection[str]) -> sympy.Expr:
    """Read a formula in known names, such as ``C/(6*N)`` in columns or ``beta/(alpha + beta)`` in parameters.

    Raises
    ------
    InputError
        If it can't be read, or has a name that is not among ``names``.
    """
    expression, used = _translate(field, text, text)
    unknown = [name for name in used if name not in names]
    if unknown:
        raise InputError(field, text, f"there is no {unknown[0]!r} here", _available(names))
    return expression


def evaluate(expression: sympy.Expr, values: Mapping[str, NDArray | float]) -> NDArray:
    """Evaluate an expression of `parse_expression` in the named values; NaN or infinity where it is not defined."""
    names = tuple(sorted(s.name for s in expression.free_symbols))
    with np.errstate(all="ignore"):
        result = _compiled_value(expression, names)(*(np.asarray(values[name], dtype=float) for name in names))
    return np.asarray(result, dtype=float)


def _available(names: Collection[str]) -> str:
    shown = sorted(names)[:20]
    return f"Use one of {', '.join(shown)}{' ...' if len(names) > len(shown) else ''}"


@functools.lru_cache(maxsize=64)
def _compiled(expression: sympy.Expr, variables: tuple[str, ...], parameters: tuple[str, ...]):
    slopes = [sympy.diff(expression, symbol(name)) for name in parameters]
    return _numpy_function((*variables, *parameters), [expression, *slopes])


@functools.lru_cache(maxsize=64)
def _compiled_value(expression: sympy.Expr, names: tuple[str, ...]):
    return _numpy_function(names, expression)


def _numpy_function(names: tuple[str, ...], expressions):
    # numbered names: a column called "lambda" or "numpy" is no name in Python's grammar or hides one
    plain = {symbol(name): sympy.Symbol(f"x{i}", real=True) for i, name in enumerate(names)}
    renamed = [e.xreplace(plain) for e in expressions] if isinstance(expressions, list) else expressions.xreplace(plain)
    return sympy.lambdify(list(plain.values()), renamed, modules="numpy", cse=True)


def _translate(field: str, text: str, formula: str) -> tuple[sympy.Expr, list[str]]:
    if not isinstance(formula, str) or len(formula) > MAX_LENGTH:
        raise InputError(field, text, f"it is no text of up to {MAX_LENGTH} characters", _REMEDY)
    try:
        tree = ast.parse(formula.strip().replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(field, text, "it is no formula", _REMEDY) from None
    names: list[str] = []

    def refuse(node: ast.AST, problem: str) -> InputError:
        return InputError(field, text, f"{ast.unparse(node)[:60]!r} {problem}", _REMEDY)

    def walk(node: ast.expr) -> sympy.Expr:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and abs(number) < 1e300:
                return sympy.Rational(repr(number)) if isinstance(number, float) else sympy.Integer(number)
            case ast.Name(id=name) if name not in _FUNCTIONS:
                if name not in names:
                    names.append(name)
                return symbol(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -walk(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return walk(operand)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](walk(argument))
            case ast.BinOp(left=left, op=operator, right=right):
                return combine(node, operator, walk(left), walk(right))
        raise refuse(node, "can't be part of a law")

    def combine(node: ast.BinOp, operator: ast.operator, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div() if not right.is_zero:
                return left / right
            case ast.Pow() if not (left.is_number and right.is_number and not _moderate(left, right)):
                return left**right
        raise refuse(node, "can't be part of a law")

    try:
        expression = walk(tree.body)
    except RecursionError:
        raise InputError(field, text, "it is nested too deeply", _REMEDY) from None
    if expression.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I):
        raise InputError(field, text, "it is no real number anywhere", _REMEDY)
    return expression, names


def _moderate(base: sympy.Expr, exponent: sympy.Expr) -> bool:
    """Whether a power of two numbers is of moderate size: a tower of powers is refused before it grows."""
    if base.is_zero:
        return bool(exponent > 0)
    digits = abs(sympy.log(abs(base), 10).evalf(5))
    return bool(abs(exponent) <= 1000 and abs(exponent) * digits <= 300)
