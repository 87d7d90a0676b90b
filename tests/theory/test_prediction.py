"""A prediction is claimed and may have an exponent, or says why it is not claimed."""

import dataclasses
import re

import pytest
from sympy import Rational

from theory import Form, Prediction, Regime, predictions

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


def test_laws_show_themselves_a_line_each_and_as_a_table():
    laws = predictions("relu", 3)
    lines = repr(laws).splitlines()
    assert len(lines) == len(laws)
    assert max(map(len, lines)) < 120
    assert any(line.split(maxsplit=2)[:2] == ["kernel_change_feature", "feature"] for line in lines)
    assert laws._repr_html_().count("<tr>") == len(laws) + 1


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus", "relu(z)**2", "sin"])
@pytest.mark.parametrize("depth", [1, 2])
def test_powers_are_written_as_one_writes_them(activation, depth):
    """h and not h^(1), 1 and not h^(0), in plain text as in LaTeX."""
    for law in predictions(activation, depth):
        texts = [law.expected, law.formula, law.falsified_by, law.regime.condition]
        texts += [part for step in law.derivation for part in (step.text, step.latex)]
        for text in texts:
            assert not re.search(r"\^[({][01][)}]", text), (law.claim, text)


def test_laws_that_hold_at_any_amplitude_say_so():
    by_label = {law.claim: law.regime.label for law in predictions("relu", 2)}
    assert by_label["initial_kernel_variance"] == by_label["error_vs_width"] == "any"
    assert by_label["crossover"] == by_label["regime_preference"] == "crossover"
