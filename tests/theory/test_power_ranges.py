"""From which |z| on an activation is a power: half octaves, to a tenth of the local power."""

import math

import pytest
from sympy import Integer

from theory.expression import parse
from theory.power_ranges import SHORTEST, power_ranges


@pytest.mark.parametrize(
    ("formula", "degree", "low"),
    [
        ("relu(z)", 1, 2**-2),  # a power from the smallest |z| that is looked at
        ("tanh(z)", 0, 2**-0.5),  # half of its bound at |z| = 0.55
        ("tanh(z) + 0.01*z", 1, 2**9.5),  # its local power is 0.9 at |z| = 900, between half octaves below
    ],
)
def test_the_range_of_the_degree_at_infinity_comes_last(formula, degree, low):
    last = power_ranges(parse(formula), Integer(degree))[-1]
    assert (last.degree, last.high) == (degree, math.inf)
    assert last.low == pytest.approx(low)


def test_before_it_come_the_powers_on_the_way():
    """z + 1e-6 z² has the local power (1 + 2u)/(1 + u), u = 1e-6 z: 1.1 at u = 1/9 and 1.9 at u = 9."""
    linear, square = power_ranges(parse("relu(z) + 1e-6*relu(z)**2"), Integer(2))
    assert (linear.degree, square.degree) == (1, 2)
    assert linear.low == 0.25
    assert 1e6 / 9 / 2 < linear.high < 1e6 / 9  # an octave is one local power
    assert 9e6 / 2 < square.low < 9e6 * 2


def test_short_ranges_hold_no_law():
    """z² between 1 and 10 only."""
    ranges = power_ranges(parse("where(abs(z) < 1, abs(z), where(abs(z) < 10, z**2, 10*abs(z)))"), Integer(1))
    assert [r.degree for r in ranges] == [1]
    assert SHORTEST > 10


@pytest.mark.parametrize(("formula", "degree"), [("relu(z)", 1), ("tanh(z)", 0), ("tanh(z) + 0.01*z", 1)])
def test_arrays_of_values_show_the_same_ranges(formula, degree):
    expression = parse(formula)
    assert power_ranges(expression, Integer(degree), arrays=True) == power_ranges(expression, Integer(degree))
