"""Scales and exponents in LaTeX and in plain text."""

import pytest
from sympy import Integer, Rational

from theory.notation import alpha_tex, number, plain, rational, tex, times
from theory.scaling import A, H


def test_rationals():
    assert rational(Rational(-3, 2)) == "-3/2"
    assert rational(Integer(2)) == "2"


@pytest.mark.parametrize(
    ("scale", "latex", "text"),
    [
        (0 * A, "1", "1"),
        (A, "A", "A"),
        (-A / 2, "A^{-1/2}", "A^(−1/2)"),
        (H + 2 * A, r"h\,A^{2}", "h·A²"),
    ],
    ids=["nothing", "A", "a root", "both"],
)
def test_scales(scale, latex, text):
    assert tex(scale) == latex
    assert plain(scale) == text


def test_a_factor_of_one_is_left_out():
    assert times(0 * A) == ""
    assert times(A) == r"A\,"


def test_in_alpha_the_width_of_a_is_counted():
    """A = h^(1/2)·alpha."""
    assert alpha_tex(A) == r"h^{1/2}\,\alpha"
    assert alpha_tex(A - H / 2) == r"\alpha"


@pytest.mark.parametrize(("value", "text"), [(0.05, "0.05"), (2.4e-6, r"2.4 \cdot 10^{-6}"), (100.0, r"1e+02")])
def test_numbers_have_two_digits(value, text):
    assert number(value) == (text if "e" not in text else r"1 \cdot 10^{2}")
