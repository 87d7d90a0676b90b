"""Activations as sums of terms whose duals are known: z^m·exp(-p z² + s z)·g(z), where g is 1, sign(z) or erf(alpha z).

The ReLU family and rectified monomials, polynomials, erf, GELU, sine, cosine, exponentials, Gaussians and their sums
and products are such sums; `theory.kernels.dual` takes their means.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import sympy

from theory import functions
from theory.expression import z

SIGN = sympy.oo  #: the gate of sign(z), which is erf(alpha z) for alpha -> infinity
_MOST_TERMS = 40
_HALF = sympy.Rational(1, 2)


class NoClosedForm(Exception):
    """The expression is no sum of the terms whose duals are known; the message says why, as a clause."""


@dataclass(frozen=True)
class Term:
    """coefficient·z^power·exp(-decay·z² + rate·z)·erf(gate·z); without the last factor if ``gate`` is None."""

    coefficient: sympy.Expr = sympy.S.One
    power: int = 0
    decay: sympy.Expr = sympy.S.Zero
    rate: sympy.Expr = sympy.S.Zero
    gate: sympy.Expr | None = None

    def __mul__(self, other: Term) -> Term:
        if self.gate is None:
            gate = other.gate
        elif other.gate is None:
            gate = self.gate
        elif self.gate == other.gate == SIGN:
            gate = None
        else:
            raise NoClosedForm("a product of error functions")
        return Term(
            self.coefficient * other.coefficient,
            self.power + other.power,
            self.decay + other.decay,
            self.rate + other.rate,
            gate,
        )


def terms_of(expression: sympy.Expr) -> list[Term]:
    """Return the terms that an expression of ``z`` is the sum of.

    Raises
    ------
    NoClosedForm
        If it is no such sum.
    """
    if not expression.has(z):
        return [Term(expression)]
    if expression == z:
        return [Term(power=1)]
    if isinstance(expression, sympy.Add):
        return _collected(term for part in expression.args for term in terms_of(part))
    if isinstance(expression, sympy.Mul):
        return functools.reduce(_product, (terms_of(part) for part in expression.args))
    if isinstance(expression, sympy.Pow) and expression.exp.is_Integer and expression.exp > 0:
        return functools.reduce(_product, [terms_of(expression.base)] * int(expression.exp))
    if type(expression) in _TERMS_OF_FUNCTION:
        return _TERMS_OF_FUNCTION[type(expression)](*expression.args)
    raise NoClosedForm(f"it has {expression.func.__name__} of z")


def _collected(terms: Iterable[Term]) -> list[Term]:
    """Return a sum with like terms added up, and without those that vanish."""
    sums: dict[Term, sympy.Expr] = {}
    for term in terms:
        kind = replace(term, coefficient=sympy.S.One)
        sums[kind] = sums.get(kind, sympy.S.Zero) + term.coefficient
    remaining = [replace(kind, coefficient=total) for kind, total in sums.items() if total != 0]
    if len(remaining) > _MOST_TERMS:
        raise NoClosedForm("too many terms")
    return remaining


def _product(left: list[Term], right: list[Term]) -> list[Term]:
    """Return the product of two sums."""
    return _collected(f * g for f, g in itertools.product(left, right))


def _coefficients(argument: sympy.Expr, degree: int) -> list[sympy.Expr]:
    """Return the coefficients of 1, z, ..., z^degree of a polynomial."""
    polynomial = argument.as_poly(z)
    if polynomial is None or polynomial.degree() > degree or any(c.has(z) for c in polynomial.all_coeffs()):
        raise NoClosedForm("a function of more than a linear argument")
    return [polynomial.coeff_monomial(z**k) for k in range(degree + 1)]


def _exponential(argument: sympy.Expr) -> list[Term]:
    constant, rate, square = _coefficients(argument, 2)
    if square > 0:
        raise NoClosedForm("a growing exponential of z²")
    return [Term(sympy.exp(constant), decay=-square, rate=rate)]


def _wave(argument: sympy.Expr, weights: tuple[sympy.Expr, sympy.Expr]) -> list[Term]:
    phase, frequency = _coefficients(argument, 1)
    forward = Term(weights[0] * sympy.exp(sympy.I * phase), rate=sympy.I * frequency)
    return [forward, Term(weights[1] * sympy.exp(-sympy.I * phase), rate=-sympy.I * frequency)]


def _erf(argument: sympy.Expr) -> list[Term]:
    shift, scale = _coefficients(argument, 1)
    if shift != 0:
        raise NoClosedForm("an error function whose argument is shifted")
    return [Term(gate=scale)] if scale > 0 else [Term(-sympy.S.One, gate=-scale)]


def _sign(argument: sympy.Expr) -> list[Term]:
    polynomial = argument.as_poly(z)
    if polynomial is None or len(polynomial.terms()) != 1 or polynomial.degree() % 2 == 0:
        raise NoClosedForm("a kink away from zero")
    if polynomial.LC().has(z):
        raise NoClosedForm("a kink whose argument has a coefficient that depends on z")
    return [Term(sympy.S.One if polynomial.LC() > 0 else -sympy.S.One, gate=SIGN)]


def _step(argument: sympy.Expr) -> list[Term]:
    return [Term(_HALF), *(replace(term, coefficient=term.coefficient / 2) for term in _sign(argument))]


def _select(condition: sympy.Expr, chosen: sympy.Expr, otherwise: sympy.Expr) -> list[Term]:
    return _collected(
        _product(_step(condition), terms_of(chosen)) + _product(_step(-condition), terms_of(otherwise)),
    )


_TERMS_OF_FUNCTION: dict[Any, Callable[..., list[Term]]] = {
    sympy.exp: _exponential,
    sympy.cos: lambda argument: _wave(argument, (_HALF, _HALF)),
    sympy.sin: lambda argument: _wave(argument, (-_HALF * sympy.I, _HALF * sympy.I)),
    sympy.erf: _erf,
    sympy.erfc: lambda argument: [
        Term(),
        *(replace(term, coefficient=-term.coefficient) for term in _erf(argument)),
    ],
    functions.signum: _sign,
    functions.step: _step,
    functions.relu: lambda argument: _product(_step(argument), terms_of(argument)),
    functions.absolute: lambda argument: _product(_sign(argument), terms_of(argument)),
    functions.select: _select,
}
