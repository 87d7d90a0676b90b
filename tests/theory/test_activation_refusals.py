"""Why an activation is refused: the power beside a cusp, which infinity, and a formula to write instead."""

import pytest

from theory import Activation, InputError


def refused(formula):
    with pytest.raises(InputError) as caught:
        Activation(formula)
    return caught.value


@pytest.mark.parametrize(
    ("formula", "power", "consequence"),
    [
        ("sqrt(abs(z))", "|z|^(-1/2)", "is infinite"),
        ("sign(z)*abs(z)**(1/3)", "|z|^(-2/3)", "is infinite"),
        ("sign(z)*abs(z)**(3/4)", "|z|^(-1/4)", "no integrator follows"),
        ("sqrt(abs(z - 2))", "|z - 2|^(-1/2)", "is infinite"),
        ("abs(z + 3)**(2/3)", "|z + 3|^(-1/3)", "no integrator follows"),
    ],
)
def test_a_cusp_is_told_with_the_power_of_its_slope(formula, power, consequence):
    error = refused(formula)
    assert power in error.problem
    assert consequence in error.problem


@pytest.mark.parametrize(
    ("formula", "instead"),
    [
        ("sqrt(abs(z))", "(z**2 + 0.01)**(1/4)"),
        ("sign(z)*abs(z)**(3/4)", "z*(z**2 + 0.01)**(-1/8)"),
        ("exp(z)", "softplus(z)"),
        ("exp(-z)", "softplus(-z)"),
        ("cosh(z)", "sqrt(1 + z**2)"),
        ("sinh(z)", "2*z - tanh(z)"),
    ],
)
def test_the_formula_to_write_instead_is_like_the_refused_one_and_is_taken(formula, instead):
    assert instead in refused(formula).remedy
    Activation(instead)
