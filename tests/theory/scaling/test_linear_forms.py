"""Sizes as linear forms in log h and log A: powers, intervals, equations, sums."""

import pytest
from sympy import Rational, oo

from theory.scaling.linear_forms import ALPHA, A, H, T, fluctuations, interval, largest, power, solve


def test_the_power_of_one_symbol_holds_the_other_fixed():
    assert (power(2 * H - A / 2, H), power(2 * H - A / 2, A)) == (2, Rational(-1, 2))
    assert (power(ALPHA, H), power(ALPHA, A)) == (Rational(-1, 2), 1)  # alpha = h^(-1/2) A


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), (-oo, oo)),
        ((A,), (-oo, 0)),
        ((H - 2 * A,), (Rational(1, 2), oo)),
        ((A - H, -A), (0, 1)),
        ((-H,), (-oo, oo)),
        ((H,), (oo, -oo)),
        ((A, H), (oo, -oo)),
    ],
)
def test_scales_are_below_one_in_an_interval_of_log_a_over_log_h(conditions, expected):
    assert interval(*conditions) == expected


def test_an_equation_between_sizes_is_linear():
    assert solve(ALPHA + T, T) == H / 2 - A


def test_a_sum_is_its_largest_term_in_the_direction_that_is_asked_for():
    assert largest([H, A, -A], {H: 1, A: 100}) == A
    assert largest([H, A, -A], {H: 1, A: -100}) == -A


def test_a_coherent_sum_fluctuates_by_the_inverse_root_of_its_number_of_terms():
    assert fluctuations(H) == -H / 2
