"""Activations as sums of terms coefficient·z^power·exp(-decay z² + rate z)·erf(gate z)."""

import pytest
import sympy
from sympy import I, Rational, exp, sqrt

from theory.expression import parse
from theory.kernels.dual_terms import SIGN, NoClosedForm, Term, terms_of

HALF = Rational(1, 2)


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("z**2 - 3*z", {Term(power=2), Term(-sympy.Integer(3), power=1)}),
        ("relu(z)", {Term(HALF, power=1), Term(HALF, power=1, gate=SIGN)}),
        ("abs(z)", {Term(power=1, gate=SIGN)}),
        ("sign(z)*sign(z)*z", {Term(power=1)}),
        ("exp(-z**2/2)", {Term(decay=HALF)}),
        ("cos(2*z)", {Term(HALF, rate=2 * I), Term(HALF, rate=-2 * I)}),
        ("erf(-z)", {Term(-sympy.S.One, gate=sympy.S.One)}),
        ("gelu", {Term(HALF, power=1), Term(HALF, power=1, gate=sqrt(2) / 2)}),
        ("where(z > 0, z, -z)", {Term(power=1, gate=SIGN)}),
        ("z - z + 1", {Term(sympy.S.One)}),
    ],
)
def test_terms_of_activations(formula, terms):
    assert set(terms_of(parse(formula))) == terms


def test_a_product_of_terms_adds_powers_and_rates():
    left = Term(sympy.Integer(2), 1, HALF, sympy.S.One)
    right = Term(sympy.Integer(3), 2, HALF, sympy.S.One, SIGN)
    assert left * right == right * left == Term(sympy.Integer(6), 3, sympy.S.One, sympy.Integer(2), SIGN)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (parse("tanh(z)"), "tanh of z"),
        (parse("erf(z)**2"), "a product of error functions"),
        (parse("erf(z + 1)"), "whose argument is shifted"),
        (parse("relu(z - 1)"), "a kink away from zero"),
        (parse("sin(z**2)"), "more than a linear argument"),
        (exp(parse("z**2")), "a growing exponential"),
        ((1 + parse("z")) ** 50, "too many terms"),
    ],
    ids=["tanh", "erf squared", "shifted erf", "shifted kink", "chirp", "growing", "many"],
)
def test_what_is_no_such_sum_is_named(expression, reason):
    with pytest.raises(NoClosedForm, match=reason):
        terms_of(expression)
