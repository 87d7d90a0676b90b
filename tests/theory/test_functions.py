"""Functions that sympy lacks: their values at the kink, their derivatives, their LaTeX."""

import pytest
import sympy

from theory.functions import absolute, logistic, relu, select, signum, softplus, step

z = sympy.Symbol("z", real=True)


@pytest.mark.parametrize(
    ("function", "left", "at_zero", "right"),
    [(step, 0, 0, 1), (signum, -1, -1, 1), (absolute, 2, 0, 2), (relu, 0, 0, 2)],
)
def test_at_zero_the_branch_is_the_one_from_the_left(function, left, at_zero, right):
    assert (function(-2), function(0), function(2)) == (left, at_zero, right)


@pytest.mark.parametrize(
    ("expression", "derivative"),
    [
        (step(z), 0),
        (signum(z), 0),
        (absolute(z), signum(z)),
        (relu(z), step(z)),
        (relu(3 * z), 3 * step(3 * z)),
        (softplus(z), logistic(z)),
        (logistic(z), logistic(z) * logistic(-z)),
        (select(z, z**2, sympy.sin(z)), select(z, 2 * z, sympy.cos(z))),
    ],
)
def test_derivatives(expression, derivative):
    assert expression.diff(z) == derivative


def test_a_choice_between_the_same_is_none():
    assert select(z, z**2, z**2) == z**2
    assert (select(1, z, -z), select(0, z, -z)) == (z, -z)


def test_logistic_and_softplus_have_digits():
    assert logistic(0) == sympy.Rational(1, 2)
    assert logistic(sympy.Integer(1)).evalf(30) == (1 / (1 + sympy.exp(-1))).evalf(30)
    assert softplus(sympy.Integer(1)).evalf(30) == sympy.log(1 + sympy.E).evalf(30)


def test_powers_are_bracketed_in_latex():
    assert sympy.latex(relu(z) ** 2) == r"\left(\max\left(0, z\right)\right)^{2}"
    assert sympy.latex(absolute(z)) == r"\left|z\right|"
