"""Read an activation from text: a formula in ``z`` made of whitelisted pieces, as a sympy expression.

User text never reaches ``eval`` or sympy's parsers, which run code: Python's own grammar parses it, and this module
translates the few nodes it knows. Constants are evaluated in floating point beside the exact arithmetic, so that a
tower of powers is refused before anything grows.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

import sympy

from lazyrich.errors import InputError
from theory.functions import absolute, logistic, relu, select, signum, softplus, step

z = sympy.Symbol("z", real=True)

MAX_LENGTH = 400
MAX_NODES = 200
MAX_POWER = 20
MAX_CONSTANT = 1e9

#: name -> formula; the article's softplus has beta = 5 (code of the published runs of arXiv:1906.08034)
NAMED = {
    "relu": "relu(z)",
    "softplus": "softplus(z, 5)",
    "tanh": "tanh(z)",
    "erf": "erf(z)",
    "gelu": "gelu(z)",
    "silu": "silu(z)",
    "leaky_relu": "leaky_relu(z)",
    "linear": "z",
    "relu2": "relu(z)**2",
    "atan": "atan(z)",
    "hardtanh": "min(max(z, -1), 1)",
    "relu6": "min(max(z, 0), 6)",
    "hardswish": "z*min(max(z + 3, 0), 6)/6",
}


def _maximum(*values):
    result = values[0]
    for value in values[1:]:
        result = select(value - result, value, result)
    return result


def _minimum(*values):
    result = values[0]
    for value in values[1:]:
        result = select(result - value, value, result)
    return result


_ONE, _TWO = sympy.Integer(1), sympy.Integer(2)
#: name -> (fewest arguments, most arguments, what it makes of sympy expressions)
FUNCTIONS: dict[str, tuple[int, int, Callable]] = {
    "relu": (1, 1, relu),
    "leaky_relu": (1, 2, lambda x, slope=sympy.Rational(1, 100): slope * x + (1 - slope) * relu(x)),
    "softplus": (1, 2, lambda x, beta=_ONE: softplus(beta * x) / beta),
    "sigmoid": (1, 1, logistic),
    "silu": (1, 1, lambda x: x * logistic(x)),
    # erfc keeps its digits where 1 + erf has none left
    "gelu": (1, 1, lambda x: x * sympy.erfc(-x / sympy.sqrt(2)) / 2),
    "tanh": (1, 1, sympy.tanh),
    "erf": (1, 1, sympy.erf),
    "sin": (1, 1, sympy.sin),
    "cos": (1, 1, sympy.cos),
    "atan": (1, 1, sympy.atan),
    "asinh": (1, 1, sympy.asinh),
    "sinh": (1, 1, sympy.sinh),
    "cosh": (1, 1, sympy.cosh),
    "exp": (1, 1, sympy.exp),
    "log": (1, 1, sympy.log),
    "sqrt": (1, 1, sympy.sqrt),
    "abs": (1, 1, absolute),
    "sign": (1, 1, signum),
    "heaviside": (1, 1, step),
    "max": (2, 8, _maximum),
    "min": (2, 8, _minimum),
}
_CONSTANTS = {"pi": sympy.pi, "E": sympy.E}
_REMEDY = (
    "Write a formula in z with numbers, pi, E, + - * / **, where(condition, a, b) and "
    + ", ".join(FUNCTIONS)
    + "; or one of the names "
    + ", ".join(NAMED)
)


def parse(text: str) -> sympy.Expr:
    """Translate a name or a formula in ``z``.

    Raises
    ------
    InputError
        If the text is not a formula, has a symbol other than z, or anything outside the whitelist.

    Examples
    --------
    >>> parse("log(1 + exp(5*z)) / 5")
    softplus(5*z)/5
    """
    if not isinstance(text, str):
        raise _refusal(text, "an activation is text")
    if len(text) > MAX_LENGTH:
        raise _refusal(text, f"it is longer than {MAX_LENGTH} characters")
    if not text.isascii() or not text.isprintable():
        raise _refusal(text, "it has characters that no formula needs")
    stripped = text.strip()
    source = NAMED.get(stripped, stripped)
    if source in FUNCTIONS and FUNCTIONS[source][0] == 1:
        source = f"{source}(z)"
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if stripped.isidentifier():
            raise _refusal(text, "no activation has this name") from error
        raise _refusal(text, "it is not a formula") from error
    if sum(1 for _ in ast.walk(tree)) > 2 * MAX_NODES:
        raise _refusal(text, "it is too long a formula")
    if isinstance(tree.body, ast.Name) and tree.body.id in FUNCTIONS:
        raise _refusal(text, f"it is a function of formulas, and has no argument here: {tree.body.id}(z), say")
    if isinstance(tree.body, ast.Name) and tree.body.id not in {"z", *_CONSTANTS}:
        raise _refusal(text, "no activation has this name")
    return _stable(_Translator(text).translate(tree.body))


class _Translator:
    """Turns the nodes of one text into sympy, naming the first piece it can't."""

    def __init__(self, text: str) -> None:
        self.text = text

    def translate(self, node: ast.expr) -> sympy.Expr:
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise self.refuse(node, "can't be part of a formula")
        expression = method(node)
        if expression.has(sympy.Abs):  # sqrt(z**2), as sympy simplifies it
            expression = expression.replace(sympy.Abs, absolute)
        if expression.is_number:
            self._check_constant(node, expression)
        return expression

    def refuse(self, node: ast.AST, problem: str) -> InputError:
        piece = ast.get_source_segment(self.text, node) or type(node).__name__
        return _refusal(self.text, f"{piece[:60]!r} {problem}")

    def _check_constant(self, node: ast.AST, value: sympy.Expr) -> None:
        number = complex(value) if value.is_finite is not False else complex(math.inf)
        if number.imag or not abs(number.real) <= MAX_CONSTANT:
            raise self.refuse(node, f"is not a real number of size up to {MAX_CONSTANT:g}")

    def _Constant(self, node: ast.Constant) -> sympy.Expr:
        if type(node.value) is int and abs(node.value) <= MAX_CONSTANT:
            return sympy.Integer(node.value)
        if type(node.value) is float and abs(node.value) <= MAX_CONSTANT:
            return sympy.Rational(repr(node.value))
        raise self.refuse(node, f"is not a real number of size up to {MAX_CONSTANT:g}")

    def _Name(self, node: ast.Name) -> sympy.Expr:
        if node.id == "z":
            return z
        if node.id in _CONSTANTS:
            return _CONSTANTS[node.id]
        raise self.refuse(node, "is a symbol other than z")

    def _UnaryOp(self, node: ast.UnaryOp) -> sympy.Expr:
        operand = self.translate(node.operand)
        if isinstance(node.op, ast.USub):
            return -operand
        if isinstance(node.op, ast.UAdd):
            return operand
        raise self.refuse(node, "uses an operator that can't be part of a formula")

    def _BinOp(self, node: ast.BinOp) -> sympy.Expr:
        left, right = self.translate(node.left), self.translate(node.right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right.is_zero:
                    raise self.refuse(node, "divides by zero")
                return left / right
            case ast.Pow():
                return self._power(node, left, right)
        raise self.refuse(node, "uses an operator that can't be part of a formula")

    def _power(self, node: ast.BinOp, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if not exponent.is_number:
            raise self.refuse(node, "has an exponent that is not a number (write exp(log(a)*b))")
        if abs(float(exponent)) > MAX_POWER:
            raise self.refuse(node, f"has an exponent beyond {MAX_POWER}")
        if base.is_zero and float(exponent) <= 0:
            raise self.refuse(node, "divides by zero")
        if base.is_number and not abs(complex(base)) ** float(exponent) <= MAX_CONSTANT:
            raise self.refuse(node, f"is not a real number of size up to {MAX_CONSTANT:g}")
        return base**exponent

    def _Call(self, node: ast.Call) -> sympy.Expr:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.refuse(node, "can't be called")
        name = node.func.id
        if name == "where":
            return self._where(node)
        if name not in FUNCTIONS:
            raise self.refuse(node.func, "is not a known function")
        fewest, most, function = FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            raise self.refuse(node, f"takes {fewest if fewest == most else f'{fewest} to {most}'} arguments")
        arguments = [self.translate(arg) for arg in node.args]
        first = arguments[0]
        if name in ("leaky_relu", "softplus") and len(arguments) == 2 and not arguments[1].is_number:
            raise self.refuse(node.args[1], "must be a number")
        if name == "softplus" and len(arguments) == 2 and not float(arguments[1]) > 0:
            raise self.refuse(node.args[1], "must be positive")
        if name in ("log", "sqrt") and first.is_number and not float(first) > 0:
            raise self.refuse(node, "takes a positive number")
        if name in ("exp", "softplus") and first.is_number and float(first) > math.log(MAX_CONSTANT):
            raise self.refuse(node, f"is not a real number of size up to {MAX_CONSTANT:g}")
        return function(*arguments)

    def _where(self, node: ast.Call) -> sympy.Expr:
        if len(node.args) != 3 or not isinstance(node.args[0], ast.Compare):
            raise self.refuse(node, "must read where(a < b, value, other)")
        condition = node.args[0]
        if len(condition.ops) != 1:
            raise self.refuse(condition, "compares more than two values")
        left, right = self.translate(condition.left), self.translate(condition.comparators[0])
        value, other = self.translate(node.args[1]), self.translate(node.args[2])
        match condition.ops[0]:
            case ast.Gt():
                return select(left - right, value, other)
            case ast.Lt():
                return select(right - left, value, other)
            case ast.GtE():  # not (right > left)
                return select(right - left, other, value)
            case ast.LtE():
                return select(left - right, other, value)
        raise self.refuse(condition, "must use <, <=, > or >=")


def _refusal(text: object, problem: str) -> InputError:
    return InputError("activation", text, problem, _REMEDY)


_u = sympy.Wild("u")
#: how formulas that overflow are written where they don't
_STABLE = (
    (sympy.log(1 + sympy.exp(_u)), softplus(_u)),
    (1 / (1 + sympy.exp(_u)), logistic(-_u)),
)


def _stable(expression: sympy.Expr) -> sympy.Expr:
    for pattern, form in _STABLE:
        expression = expression.replace(pattern, form)
    return expression.replace(lambda node: node.is_Mul and node.has(logistic), _merge_logistic)


def _merge_logistic(product: sympy.Expr) -> sympy.Expr:
    """exp(u)/(1 + exp(u)) has by now become exp(u) logistic(-u): write it logistic(u)."""
    factors = list(product.args)
    for factor in [f for f in factors if isinstance(f, logistic)]:
        partner = sympy.exp(-factor.args[0])
        if partner in factors:
            factors.remove(partner)
            factors[factors.index(factor)] = logistic(-factor.args[0])
    return sympy.Mul(*factors)


def slope(expression: sympy.Expr) -> sympy.Expr:
    """Return d/dz, in forms that keep their digits far from zero; relu's slope at its kink is the one from the left."""
    return sympy.diff(expression, z).replace(1 - sympy.tanh(_u) ** 2, 4 * logistic(2 * _u) * logistic(-2 * _u))
