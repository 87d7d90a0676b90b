"""Duals in closed form: against known formulas, and each the derivative of the other where it has to be."""

import numpy as np
import pytest
import sympy

from theory import Activation, InputError
from theory.kernels.dual import (
    CORRELATION,
    SIGMA_1,
    SIGMA_2,
    NoClosedForm,
    closed_dual,
    closed_form,
    dual_expression,
    q,
)


def test_the_exponential_has_a_dual_although_it_is_no_activation():
    """exp overflows for the arguments that the dynamics need; its kernel E[e^(u+v)] is plain."""
    z = sympy.Symbol("z", real=True)
    u, v, c = SIGMA_1, SIGMA_2, CORRELATION
    assert sympy.simplify(closed_form(sympy.exp(z)) - sympy.exp((u**2 + v**2) / 2 + c * u * v)) == 0
    with pytest.raises(InputError):
        Activation("exp(z)")


def test_the_symbolic_dual_on_the_sphere():
    sigma, slope = dual_expression(Activation("relu"))
    assert sympy.simplify(slope - (sympy.Rational(1, 2) + sympy.asin(q) / sympy.pi)) == 0
    assert sympy.simplify(sympy.diff(sigma, q) - slope) == 0  # Sigma' is the dual of the derivative
    for activation in ("erf", "gelu", "relu2", "z**3 - 3*z", "sin(2*z)"):
        sigma, slope = dual_expression(Activation(activation))
        assert sigma.free_symbols <= {q}
        for at in (-0.6, 0.1, 0.8):
            derivative = float(sympy.diff(sigma, q).subs(q, at))
            assert derivative == pytest.approx(float(slope.subs(q, at)), rel=1e-10)
    assert dual_expression(Activation("z**3 - 3*z"))[0] == q**3  # Hermite polynomials: q^k
    with pytest.raises(InputError, match="no known closed form"):
        dual_expression(Activation("tanh"))


def test_relu_keeps_the_digits_of_nearly_parallel_inputs():
    """At c = 1 - d, sqrt(1 - c²) = sqrt(d(2 - d)): for d = 1e-9 the square of c has lost half of the digits."""
    c = 1 - 1e-9
    d = 1 - c  # exact
    root = np.sqrt(d * (2 - d))
    angle = np.arcsin(root)
    expected = (root + (np.pi - angle) * c) / (2 * np.pi)
    assert closed_dual(Activation("relu").expression)(1.0, 1.0, c) == pytest.approx(expected, rel=1e-15)


def test_a_closed_dual_takes_arrays_that_broadcast_and_the_ends_of_the_correlation():
    """E[relu(u) relu(v)] = s1 s2/2 for c = 1, and 0 for c = -1."""
    dual = closed_dual(Activation("relu").expression)
    means = dual(np.array([[1.0], [2.0]]), np.array([1.0, 3.0]), 1.0)
    np.testing.assert_allclose(means, [[0.5, 1.5], [1.0, 3.0]], rtol=1e-15)
    np.testing.assert_allclose(dual(1.0, 1.0, -1.0), 0.0, atol=1e-16)


def test_without_a_closed_form_there_is_none():
    assert closed_dual(Activation("tanh").expression) is None
    with pytest.raises(NoClosedForm, match="tanh of z"):
        closed_form(Activation("tanh").expression)
