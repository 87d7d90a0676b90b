"""Formulas are shown as browsers set them, and nothing that is written is lost."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from lazyrich.mathematics import mathml
from theory import predictions


def test_a_relation_is_an_operator_and_not_an_identifier():
    assert "<mo>&#x0223C;</mo>" in mathml(r"a \sim 1")


def test_what_the_converter_does_not_know_is_shown_as_it_was_written():
    assert mathml(r"\nosuchcommand{1}") == r"<code>\nosuchcommand{1}</code>"
    assert mathml("x_1_2") == "<code>x_1_2</code>"
    assert mathml("x_1_<b>_2") == "<code>x_1_&lt;b&gt;_2</code>"


def test_a_formula_can_stand_on_a_line_of_its_own():
    assert 'display="block"' in mathml("a", block=True)


@pytest.mark.parametrize(("activation", "depth"), [("relu", 1), ("softplus", 3), ("tanh", 2)])
def test_every_law_of_an_activation_is_set_as_well_formed_mathml(activation, depth):
    formulas = [prediction.formula for prediction in predictions(activation, depth=depth) if prediction.formula]
    assert len(formulas) > 20
    for formula in formulas:
        shown = mathml(formula)
        assert not shown.startswith("<code>"), formula
        ElementTree.fromstring(shown)
