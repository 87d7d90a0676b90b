"""One walk over an expression, whichever kind of number it is evaluated in."""

import mpmath
import numpy as np
import pytest
import sympy

from theory.evaluation import MPMATH, NUMPY, compiled, mpmath_value, numpy_value
from theory.expression import parse, z

POINTS = (-2.3, -0.4, 0.7, 3.1)


@pytest.mark.parametrize(
    "formula",
    ["exp(z)", "sin(z)*cos(z)", "tanh(z)", "atan(z)", "asinh(z)", "sinh(z) + cosh(z)", "erf(z)",
     "heaviside(z)", "sign(z)", "abs(z)", "relu(z)", "where(z > 0.5, z**2, sqrt(1 + z**2))", "sigmoid(z)",
     "softplus(z)", "log(2 + sin(z))", "(1 + z**2)**(-1/3)"],
)  # fmt: skip
def test_float64_has_the_values_of_many_digits(formula):
    expression = parse(formula)
    with mpmath.workdps(40):
        expected = [float(mpmath_value(expression, point)) for point in POINTS]
    np.testing.assert_allclose(numpy_value(expression, POINTS), expected, rtol=2e-15, atol=1e-16)


def test_every_function_of_many_digits_is_one_of_float64():
    assert set(MPMATH) <= set(NUMPY)


def test_what_expressions_share_is_computed_once():
    calls = []
    table = {
        float: float,
        sympy.Pow: lambda base, power: base ** float(power),
        sympy.sin: lambda x: calls.append(x) or x,
    }
    run = compiled((sympy.sin(z), sympy.sin(z) + 1, sympy.sin(z) ** 3), table)
    assert run(2.0) == (2.0, 3.0, 8.0)
    assert calls == [2.0]


def test_a_function_without_an_operation_is_named():
    with pytest.raises(NotImplementedError, match="gamma"):
        numpy_value(sympy.gamma(z), 1.0)


def test_what_is_not_real_has_no_value():
    assert np.isnan(numpy_value(parse("log(z)"), -1.0))
    assert mpmath.isnan(mpmath_value(parse("log(z)"), -1))
    assert mpmath.isnan(mpmath_value(parse("z**0.5"), -1))


def test_towers_of_exponentials_end_in_infinity_and_not_in_memory():
    assert mpmath_value(sympy.exp(sympy.exp(z)), 1000) == mpmath.inf


def test_a_constant_has_the_shape_of_the_points():
    assert numpy_value(sympy.Integer(2), np.zeros((2, 3))).tolist() == [[2.0] * 3] * 2
