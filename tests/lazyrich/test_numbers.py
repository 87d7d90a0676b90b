"""Numbers as pages and terminals write them."""

import math

import pytest

from lazyrich.numbers import interval, number, p_value, power, short, signed, typeset


def test_a_minus_is_no_hyphen():
    assert signed("-3/2") == "−3/2"
    assert power("-3/2") == "−3/2"
    assert power(None) == "–"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-1.5, 3, "−1.500"), (0.0004, 3, "0.000"), (-0.0004, 3, "0.000"), (12345.678, 1, "12345.7"), (-2.5, 0, "−2")],
)
def test_numbers_have_fixed_decimals_and_zero_has_no_sign(value, digits, text):
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.25, "0.25"), (-0.25, "−0.25"), (9999.0, "9999"), (12345.0, "1.234×10⁴"), (1e4, "10⁴"),
        (0.01, "0.01"), (0.001, "10⁻³"), (-0.001, "−10⁻³"), (2.5e-12, "2.5×10⁻¹²"), (-3e15, "−3×10¹⁵"),
    ],
)  # fmt: skip
def test_short_numbers_have_four_digits_and_powers_of_ten_beyond(value, text):
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(5.734e7, "5.73×10⁷"), (1234.5, "1230"), (0.25678, "0.257"), (9999.9, "10⁴")]
)
def test_short_numbers_can_have_fewer_digits(value, text):
    assert short(value, 3) == text


@pytest.mark.parametrize("absent", [None, math.nan, math.inf])
def test_a_number_that_is_none_is_a_dash(absent):
    assert {number(absent), short(absent), p_value(absent)} == {"–"}


def test_an_interval_has_both_its_ends():
    assert interval(-1.5, -1.25) == "[−1.500, −1.250]"
    assert interval(None, 1.0) == interval(1.0, None) == "–"


def test_p_values_have_two_digits_and_an_end():
    assert [p_value(p) for p in (0.5, 0.0321, 1e-4, 9.9e-5, 0.0)] == ["0.5", "0.032", "0.0001", "< 10⁻⁴", "< 10⁻⁴"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[-0.5, -1.2] lies outside -1 ± 0.1", "[−0.5, −1.2] lies outside −1 ± 0.1"),
        ("A^(-1/2), h^-0.5", "A^(−1/2), h^−0.5"),
        ("relu-L1 on 2026-11-27, 3-4 seeds", "relu-L1 on 2026-11-27, 3-4 seeds"),
        ("7.00% and the 95 % interval", "7.00\xa0% and the 95\xa0% interval"),
        ("6.2e-05 to -5.73e+07, 1e-06", "6.2×10⁻⁵ to −5.73×10⁷, 10⁻⁶"),
        ("run-1e-05, model1e-05, x1.5e-05.csv", "run-1e-05, model1e-05, x1.5e-05.csv"),
    ],
)
def test_numbers_in_sentences_are_set_as_in_tables(text, shown):
    assert typeset(text) == shown
