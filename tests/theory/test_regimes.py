"""Where laws are claimed."""

import math

import pytest
from sympy import Integer, Rational

from theory import Model
from theory.regimes import (
    FEATURE_EDGE,
    SINGLE_NEURON_EDGE,
    feature_regime,
    growth_regime,
    lazy_delay,
    lazy_regime,
    window_edge,
)


def test_plain_regimes_have_one_edge():
    assert feature_regime().bounds(64) == (0.0, FEATURE_EDGE)
    assert lazy_regime(Model(3)).bounds(64) == (100.0, math.inf)
    assert lazy_regime(Model(3)).condition == r"A \gg 1"
    assert lazy_regime(Model(3), wide=True).condition == r"A \gg 1, \ h \gtrsim N"


def test_the_lazy_regime_of_a_nearly_constant_activation_begins_late():
    """chi^(-L/2)/0.05, where that is above 100: chi = 0.04, 25 at L = 2 and 125 at L = 3."""
    assert lazy_regime(Model(2, susceptibility=0.04)).low == pytest.approx(500.0)
    regime = lazy_regime(Model(3, susceptibility=0.04), wide=True)
    assert regime.low == pytest.approx(2500.0)
    assert regime.condition == r"A \gg \chi^{-3/2} = 1.2 \cdot 10^{2}, \ h \gtrsim N"
    assert lazy_delay(Model(3, susceptibility=0.04)) == pytest.approx(25.0)
    assert lazy_delay(Model(3, susceptibility=4.0)) == 1.0


@pytest.mark.parametrize("susceptibility", [0.0, 0.1])
def test_an_edge_beyond_all_numbers_is_a_number(susceptibility):
    assert 1e300 < lazy_regime(Model(1000, susceptibility=susceptibility)).low < math.inf


def test_where_sigma_has_its_degree_late_the_regime_ends_earlier():
    """Preactivations of the first layer pass the onset z* below A = z*^(-D), D = 3 for two layers of degree 1."""
    assert growth_regime(Model(2, onset=10.0)).high == pytest.approx(10.0**-3)
    assert growth_regime(Model(2)).high == FEATURE_EDGE


def test_a_single_neuron_wins_below_a_power_of_the_width():
    """k = 2: A << h^(-2)."""
    low, high = growth_regime(Model(1, degree=Integer(2))).bounds(10)
    assert (low, high) == (0.0, pytest.approx(SINGLE_NEURON_EDGE / 100))


def test_a_correction_moves_a_slope_by_the_margin_at_the_edge():
    """The slope of 1 + A^w is w A^w/(1 + A^w): the margin, to first order."""
    w, margin = Rational(1, 2), 0.05
    edge = window_edge(w, margin)
    assert float(w) * edge ** float(w) == pytest.approx(margin)
    assert window_edge(Rational(1, 100), margin) == 1.0
