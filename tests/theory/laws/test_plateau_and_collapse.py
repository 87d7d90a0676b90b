"""Laws of the width at fixed A: weights and times on one curve, and the plateau of networks that keep f_0."""

import pytest
from sympy import Rational

from theory import predictions

HALF = Rational(1, 2)


def laws(activation, depth, claim):
    return {p.regime.name: p for p in predictions(activation, depth) if p.claim == claim}


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_each_neuron_moves_as_far_at_every_width(activation, depth):
    """||w - w_0||² is a sum over h neurons."""
    weights = laws(activation, depth, "weight_collapse")
    assert (weights["feature"].exponent, weights["lazy"].exponent) == (HALF, HALF)
    times = laws(activation, depth, "time_collapse")
    assert (times["feature"].exponent, times["lazy"].exponent) == (0, 0)


def test_above_degree_one_growth_depends_on_the_width_and_the_frozen_kernel_does_not():
    for claim, lazy in (("weight_collapse", HALF), ("time_collapse", 0)):
        found = laws("relu2", 1, claim)
        assert found["feature"].not_claimed_because
        assert found["lazy"].exponent == lazy


def test_undoing_f_0_moves_the_kernel_by_one_over_h():
    """u ~ h^(-1/2): first order, times the fluctuation of a sum over neurons, and second order are one size."""
    (plateau,) = laws("softplus", 2, "kernel_plateau").values()
    assert plateau.exponent == -1
    assert not plateau.subtracts_initial
    assert plateau.regime.low_width_exponent == HALF
    (kinked,) = laws("relu", 2, "kernel_plateau").values()
    assert "kink" in kinked.not_claimed_because
