"""How formulas behave at infinity: degrees, limits, the approach to a bound, and why there may be none."""

import pytest
from sympy import Rational

from theory.asymptotics import growth, homogeneous, limit, saturation, settled
from theory.expression import parse


@pytest.mark.parametrize(
    ("formula", "left", "right"),
    [
        ("relu(z)", 0, 1),
        ("softplus(z)", 0, 1),
        ("z**3 - 3*z", 3, 3),
        ("abs(z)**1.5", Rational(3, 2), Rational(3, 2)),
        ("z*(1 + z**2)**(-1/4)", Rational(1, 2), Rational(1, 2)),
        ("sin(z)", 0, 0),
        ("z + sin(z)", 1, 1),
        ("exp(-z**2)", 0, 0),
    ],
)
def test_degrees(formula, left, right):
    expression = parse(formula)
    assert (growth(expression, -1).degree, growth(expression, 1).degree) == (left, right)


@pytest.mark.parametrize(
    ("formula", "problem"),
    [
        ("log(1 + z**2)", "it grows as the logarithm of |z|, which is no power"),
        ("z*log(1 + z**2)", "it is unbounded without being a power of |z|"),
        ("z*sin(z)", "it oscillates with a growing size"),
        ("exp(z)", "it grows faster than any power"),
        ("log(-z)", "it is not finite and real everywhere"),
    ],
)
def test_what_is_no_power_has_no_degree_and_a_reason(formula, problem):
    result = growth(parse(formula), 1)
    assert result.degree is None
    assert result.problem == problem
    assert result.remedy


@pytest.mark.parametrize(
    ("formula", "left", "right"),
    [("tanh(z)", -1.0, 1.0), ("relu(z)", 0.0, None), ("sin(z)", None, None), ("exp(-z**2)", 0.0, 0.0)],
)
def test_limits(formula, left, right):
    expression = parse(formula)
    assert (limit(expression, -1), limit(expression, 1)) == (left, right)


@pytest.mark.parametrize(
    ("formula", "power"),
    [("z/(1 + abs(z))", 1), ("atan(z)", 1), ("z/sqrt(1 + z**2)", 2), ("tanh(z)", None), ("sin(z)", None)],
)
def test_the_power_with_which_a_bound_is_neared(formula, power):
    assert saturation(parse(formula), 1) == power


@pytest.mark.parametrize(
    ("formula", "degree", "answer"),
    [("relu(z)", 1, True), ("relu(z)**2", 2, True), ("sign(z)*abs(z)**1.5", Rational(3, 2), True), ("gelu", 1, False)],
)
def test_exact_homogeneity(formula, degree, answer):
    assert homogeneous(parse(formula), Rational(degree)) is answer


def test_slopes_settle_on_one_positive_rational():
    assert settled([0.5, 0.5 + 1e-7], 1e-6, 24) == Rational(1, 2)
    assert settled([0.4, 0.5], 1e-6, 24) is None
    assert settled([-0.5, -0.5], 1e-6, 24) is None
