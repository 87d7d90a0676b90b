"""Functions of which values alone are known: what is found of them equals what formulas say of themselves."""

import numpy as np
import pytest
import sympy

from theory import asymptotics, black_box
from theory.evaluation import numpy_value
from theory.expression import parse, z


@pytest.mark.parametrize("text", ["module:function", " a.b:c ", "_m:_f"])
def test_names_of_functions(text):
    assert black_box.is_function_name(text)


@pytest.mark.parametrize("text", ["relu", "z:", ":f", "a:b:c", "1a:b", "a b:c", None, 3])
def test_what_is_no_name_of_a_function(text):
    assert not black_box.is_function_name(text)


def test_a_registered_function_is_known_by_values_of_any_shape():
    registered = black_box.register("tests_black_box:square_plus", lambda x: x**2 + 1, lambda x: 2 * x)
    assert black_box.registered_function("tests_black_box:square_plus") == registered
    assert registered.expression.diff(z) == registered.derivative
    assert numpy_value(registered.expression, [[1.0, 2.0], [3.0, 4.0]]).tolist() == [[2.0, 5.0], [10.0, 17.0]]
    assert numpy_value(registered.derivative, 3.0) == 6.0
    assert sympy.latex(registered.expression) == r"\operatorname{tests\_black\_box.square\_plus}\left(z\right)"


def test_a_function_that_was_not_registered_here_is_an_error_with_its_remedy():
    assert black_box.registered_function("tests_black_box:absent") is None
    error = black_box.not_loaded("tests_black_box:absent")
    assert (error.field, error.value) == ("activation", "tests_black_box:absent")
    assert "register_activation" in error.remedy


@pytest.mark.parametrize(
    "formula", ["relu(z)", "z**3 - 3*z", "abs(z)**1.5", "tanh(z)", "z/(1 + abs(z))", "softplus(z)"]
)
@pytest.mark.parametrize("side", [-1, 1])
def test_values_show_what_formulas_say(formula, side):
    expression = parse(formula)
    degree = asymptotics.growth(expression, side).degree
    assert black_box.growth(expression, side).degree == degree
    assert black_box.limit(expression, side) == pytest.approx(asymptotics.limit(expression, side), abs=1e-5)
    assert black_box.homogeneous(expression, degree) == asymptotics.homogeneous(expression, degree)
    if degree == 0:
        assert black_box.saturation(expression, side) == asymptotics.saturation(expression, side)


@pytest.mark.parametrize("formula", ["log(1 + z**2)", "z*sin(z)"])
def test_what_does_not_settle_up_to_a_million_has_no_degree(formula):
    result = black_box.growth(parse(formula), 1)
    assert result.degree is None
    assert result.problem == "its degree does not settle: up to |z| = 1e6 it is no power of z"


def test_jumps_are_found_to_rounding_and_slopes_are_none():
    grid = np.linspace(-5.0, 5.0, 1001)
    jumps = black_box.jumps(parse("sign(z - 0.3) + heaviside(z + 2.11)"), grid, 1e-9)
    np.testing.assert_allclose(jumps, [-2.11, 0.3], rtol=1e-12)
    assert len(black_box.jumps(parse("tanh(50*z)"), grid, 1e-5)) == 0
