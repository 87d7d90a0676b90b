"""Normalisation, degree, kinks and parity are computed from the expression, or the expression is refused."""

import math
import pickle
import re
import time

import mpmath
import numpy as np
import pytest
import sympy
from activation_zoo import ZOO
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from theory import Activation, InputError
from theory.evaluation import mpmath_value


@pytest.mark.parametrize("name", ZOO)
def test_the_normalised_activation_has_second_moment_one(name):
    """Against mpmath's quadrature of the same expression at 30 digits, split at the kinks."""
    activation = Activation(name)
    edges = sorted({-38, -12, -3, 0, 3, 12, 38, *activation.kinks})
    with mpmath.workdps(30):
        density = lambda x: mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)  # noqa: E731
        moment = mpmath.quad(lambda x: mpmath_value(activation.expression, x) ** 2 * density(x), edges)
    assert activation.normalisation**2 * float(moment) == pytest.approx(1.0, rel=1e-11)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("relu", 1 / 2),
        ("relu2", 3 / 2),
        ("linear", 1.0),
        ("leaky_relu", (1 + 1e-4) / 2),
        ("abs(z)", 1.0),
        ("erf", 2 / math.pi * math.asin(2 / 3)),
        ("sin(z)", (1 - math.exp(-2)) / 2),
        ("exp(-z**2)", 1 / math.sqrt(5)),
    ],
)
def test_known_second_moments(name, moment):
    assert Activation(name).normalisation == pytest.approx(moment**-0.5, rel=1e-12)
    assert Activation(name, normalise=False).normalisation == 1.0


def test_the_published_constant_of_softplus():
    """The code of the first version of arXiv:1906.08034 has c = 1.40438, by Monte Carlo."""
    assert Activation("softplus").normalisation == pytest.approx(1.40438, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "left", "right", "exact"),
    [
        ("relu", 0, 1, True),
        ("leaky_relu", 1, 1, True),
        ("relu2", 0, 2, True),
        ("linear", 1, 1, True),
        ("softplus", 0, 1, False),
        ("gelu", 0, 1, False),
        ("silu", 0, 1, False),
        ("tanh", 0, 0, False),
        ("erf", 0, 0, False),
        ("sin(z)", 0, 0, False),
        ("sqrt(1+z**2)-1", 1, 1, False),
        ("where(z>0, z, exp(z)-1)", 0, 1, False),
        ("sign(z)*abs(z)**1.5", sympy.Rational(3, 2), sympy.Rational(3, 2), True),
        ("where(z>0, z**2, z)", 1, 2, False),
        ("z**3 - 3*z", 3, 3, False),
        ("z/(1+abs(z))", 0, 0, False),
        ("sqrt(z**2+1)-sqrt(z**2+2)", 0, 0, False),
    ],
)
def test_degrees_at_infinity_and_exact_homogeneity(name, left, right, exact):
    activation = Activation(name)
    assert (activation.degree_left, activation.degree_right) == (left, right)
    assert activation.degree == max(left, right)
    assert activation.degree_exact is exact
    assert activation.bounded is (activation.degree == 0)


@pytest.mark.parametrize(
    ("name", "kinks"),
    [
        ("relu", (0.0,)),
        ("leaky_relu", (0.0,)),
        ("min(max(z, 0), 6)", (0.0, 6.0)),
        ("abs(z - 0.3)", (0.3,)),
        ("relu2", ()),
        ("softplus", ()),
        ("where(z>0, z, exp(z)-1)", ()),
        ("where(z>0, z, 2*(exp(z)-1))", (0.0,)),
        ("max(sin(z), 0)*exp(-z**2/2) + relu(z-50)", None),
    ],
)
def test_kinks_are_where_the_slope_jumps(name, kinks):
    found = Activation(name).kinks
    if kinks is None:  # every zero of the sine where the Gaussian has not hidden it, and the one at 50
        assert [k for k in found if abs(k) < 3.2] == pytest.approx([-math.pi, 0.0, math.pi], abs=1e-9)
        assert 50.0 in found
    else:
        assert found == pytest.approx(kinks, abs=1e-12)
        assert Activation(name).smooth is (kinks == ())


@pytest.mark.parametrize(
    ("name", "parity"), [("tanh", "odd"), ("z*erf(z)", "even"), ("relu", None), ("z + cos(z)", None)]
)
def test_parity(name, parity):
    assert Activation(name).parity == parity


@pytest.mark.parametrize("name", ZOO)
def test_slopes_are_derivatives(name):
    activation = Activation(name)
    at = np.array([-7.3, -1.1, -0.4, 0.2, 0.9, 3.7])
    h = 1e-6
    # central differences: error h² sigma''' ~ 1e-12 and rounding 1e-10
    np.testing.assert_allclose(
        activation.slope(at), (activation(at + h) - activation(at - h)) / (2 * h), atol=2e-8, rtol=1e-7
    )


@pytest.mark.parametrize("name", ["relu", "abs(z)", "leaky_relu"])
def test_at_the_kink_of_relu_the_slope_is_the_one_from_the_left(name):
    activation = Activation(name)
    assert activation.slope(0.0) == pytest.approx(activation.slope(-1e-9), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("exp(z**2)", "no finite second moment"),
        ("exp(z)", "faster than any power of |z|, and overflows at z = 710"),
        ("cosh", "faster than any power of |z|, and overflows at z = -710"),
        ("1/z", "not a finite real number at z = 0"),
        ("sqrt(z)", "not a finite real number"),
        ("3", "constant"),
        ("z - z", "constant"),
        ("sign(z)", "jumps at z = 0"),
        ("heaviside(z - 1)", "jumps at z = 1"),
        ("where(z > 2, z, 0)", "jumps at z = 2"),
        ("z*sin(z)", "oscillates"),
        ("asinh", "grows as the logarithm of |z|"),
        ("log(1+z**2)", "grows as the logarithm of |z|"),
        ("z*log(1+z**2)", "unbounded without being a power"),
        ("log(1+log(1+z**2))", "unbounded without being a power"),
        ("sqrt(abs(z))", "as |z|^(-1/2): the mean of sigma'^2, which every tangent kernel contains, is infinite"),
        ("sign(z)*abs(z)**(3/4)", "as |z|^(-1/4): preactivations pass there infinitely fast"),
        ("sqrt(abs(z - 2))", "its slope is infinite at z = 2, as |z - 2|^(-1/2)"),
        ("where(z<1e7, z, exp(z))", "faster than any power"),
    ],
)
def test_what_the_theory_can_say_nothing_about_is_refused_with_the_reason(name, reason):
    with pytest.raises(InputError, match=re.escape(reason)):
        Activation(name)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("exp(z)", r"Take softplus\(z\), which is bounded on the same side"),
        ("exp(-2*z)", r"Take softplus\(-z\)"),
        ("cosh", r"Take sqrt\(1 \+ z\*\*2\), which is even too"),
        ("sinh", r"Take 2\*z - tanh\(z\), which is odd too"),
        ("exp(z) - z", "grows at most as a power"),
        ("abs(z)**(2/3)", r"\(z\*\*2 \+ 0.01\)\*\*\(1/3\)"),
        ("1/z", "Keep divisors away from 0"),
        ("sqrt(abs(z))", r"\(z\*\*2 \+ 0.01\)\*\*\(1/4\)"),
        ("sign(z)*abs(z)**(3/4)", r"z\*\(z\*\*2 \+ 0.01\)\*\*\(-1/8\)"),
        ("asinh", "Take a power instead"),
        ("sign(z)", r"tanh\(20\*z\)"),
        ("z*sin(z)", "Bound what oscillates"),
        ("z - z", "changes with z"),
    ],
)
def test_a_refusal_says_what_to_write_instead(name, remedy):
    with pytest.raises(InputError, match=remedy):
        Activation(name)


@pytest.mark.parametrize(
    ("instead", "degree"),
    [("(z**2 + 0.01)**(1/4)", Rational(1, 2)), ("z*(z**2 + 0.01)**(-1/8)", Rational(3, 4)), ("tanh(20*z)", 0),
     ("z*(1 + z**2)**(-1/4)", Rational(1, 2)), ("z + sin(z)", 1),
     ("2*z - tanh(z)", 1), ("softplus(-z)", 1), ("sqrt(1 + z**2)", 1), ("z*exp(-abs(z))", 0)],
)  # fmt: skip
def test_what_refusals_propose_is_accepted(instead, degree):
    assert Activation(instead).degree == degree


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("atan", np.arctan),
        ("hardtanh", lambda z: np.clip(z, -1, 1)),
        ("relu6", lambda z: np.clip(z, 0, 6)),
        ("hardswish", lambda z: z * np.clip(z + 3, 0, 6) / 6),
        ("asinh(z)/(1 + z**2)", lambda z: np.arcsinh(z) / (1 + z**2)),
    ],
)
def test_names_of_other_libraries_are_their_functions(name, function):
    at = np.linspace(-8, 8, 161)
    np.testing.assert_allclose(Activation(name, normalise=False)(at), function(at), rtol=1e-13, atol=1e-15)


def test_many_kinks_far_out_do_not_stand_against_it():
    """relu(sin(2z)) has a kink every pi/2: those within the reach of a Gaussian count."""
    kinks = np.array(Activation("relu(sin(2*z))").kinks)
    np.testing.assert_allclose(kinks, np.pi / 2 * np.arange(-25, 26), atol=1e-12)


def test_activations_are_values():
    assert Activation(" relu ") == Activation("relu")
    assert Activation("relu") != Activation("relu", normalise=False)
    assert len({Activation("relu"), Activation("relu"), Activation("tanh")}) == 2
    assert pickle.loads(pickle.dumps(Activation("z*erf(z)"))) == Activation("z*erf(z)")


# A grammar of formulas: what it makes is either complete or refused, quickly.
_FUNCTIONS = ["relu", "softplus", "tanh", "erf", "exp", "log", "sin", "abs", "sqrt", "gelu"]
_leaf = st.sampled_from(["z", "2", "0.3", "pi", "1", "(-1.5)"])
_formula = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
        st.tuples(
            st.sampled_from(["relu", "softplus", "tanh", "erf", "exp", "log", "sin", "abs", "sqrt", "gelu"]), inner
        ).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, st.sampled_from(["2", "3", "0.5", "-1"])).map(lambda t: f"{t[0]}**{t[1]}"),
        st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]}<{t[1]},{t[2]},z)"),
    ),
    max_leaves=6,
)


@given(_formula)
@settings(max_examples=75, deadline=None)
def test_every_formula_is_either_complete_or_refused_and_never_hangs(formula):
    started = time.monotonic()
    try:
        activation = Activation(formula)
    except InputError:
        assert time.monotonic() - started < 10
        return
    assert time.monotonic() - started < 10
    assert np.isfinite(activation.normalisation)
    assert activation.degree >= 0
    at = np.array([-1e6, -3.0, 0.1, 2.0, 1e6])
    assert np.isfinite(activation(at)).all()
    assert np.isfinite(activation.slope(at)).all()
    assert activation.latex


def test_a_root_of_a_square_is_an_absolute_value():
    """Sympy simplifies it into an Abs of its own, which once had no operation."""
    assert Activation("sqrt(z**2)").kinks == (0.0,)
    assert Activation("sqrt(z**2)").degree == 1


def test_a_condition_without_a_value_gives_none():
    """max(z, log(z)) compares with log(-1): it isn't z there, it is refused."""
    with pytest.raises(InputError, match="not a finite real number at z"):
        Activation("max(z, log(z))")


def test_where_a_cube_crosses_flatly_slopes_do_not_jump():
    """A triple root takes a bracketing method more steps than the usual hundred."""
    assert Activation("max(relu(z), (z + pi)**3)").kinks == ()
