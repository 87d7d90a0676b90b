"""A prediction is claimed and may have an exponent, or says why it is not claimed."""

import dataclasses

import pytest
from sympy import Rational

from theory import Form, Prediction, Regime

LAW = Prediction(
    "kernel", "kernel_change", "root_h_alpha", Rational(-3, 2), "kernel ~ A^(-3/2)", Regime("feature", r"A \ll 1"), (),
    "derived", "another power",
)  # fmt: skip


def test_without_a_claim_the_expectation_is_the_reason():
    law = dataclasses.replace(LAW, exponent=None, not_claimed_because="k > 1")
    assert not law.claimed
    assert law.expected == "no verdict: k > 1"
    assert law.refusal == law.not_claimed_because
    assert LAW.claimed


def test_what_is_not_claimed_has_no_exponent():
    with pytest.raises(ValueError, match="it is not claimed"):
        dataclasses.replace(LAW, not_claimed_because="k > 1")


@pytest.mark.parametrize("form", Form)
def test_logarithms_are_in_two_forms(form):
    expected = form in (Form.POWER_WITH_LOGARITHMS, Form.LOGARITHM)
    assert dataclasses.replace(LAW, form=form).logarithms == expected


def test_edges_of_a_regime_go_with_the_width():
    regime = Regime("lazy", "", low=10.0, low_width_exponent=Rational(1, 2), low_floor=50.0, high=10.0,
                    high_width_exponent=Rational(1))  # fmt: skip
    assert regime.bounds(4) == (50.0, 40.0)  # empty: so narrow networks have no such regime
    assert regime.bounds(100) == (100.0, 1000.0)


def test_a_law_of_both_regimes_has_no_regimes_name():
    both, lazy = Regime(None, ""), Regime("lazy", "")
    assert (both.label, both.in_words) == ("crossover", "both regimes")
    assert (lazy.label, lazy.in_words) == ("lazy", "lazy regime")
