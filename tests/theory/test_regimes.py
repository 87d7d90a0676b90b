"""Where laws are claimed."""

import math

import pytest
from sympy import Integer, Rational

from theory import Model
from theory.regimes import FEATURE_EDGE, SINGLE_NEURON_EDGE, feature_regime, growth_regime, lazy_regime, window_edge


def test_plain_regimes_have_one_edge():
    assert feature_regime().bounds(64) == (0.0, FEATURE_EDGE)
    assert lazy_regime().bounds(64) == (100.0, math.inf)


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
