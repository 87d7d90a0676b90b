"""What a person reads instead of an identifier."""

import dataclasses

import pytest
from synthetic_campaign import experiment, tree

from fit import assess
from fit.report.titles import full_title, is_power, is_theorys, section_title, section_titles, variable_of, with_regime
from theory.claims import claims
from theory.prediction import BOTH_REGIMES, Form


@pytest.fixture(scope="module")
def verdict():
    return next(
        v
        for v in assess(tree(experiment()))
        if v.claim == "fluctuations" and v.regime == "lazy" and v.variable == "width"
    )


def test_a_title_has_its_regime_once():
    assert with_regime("How far weights move", "lazy") == "How far weights move, lazy regime"
    assert with_regime("Error in the lazy regime", "lazy") == "Error in the lazy regime"
    assert with_regime("Where the regimes meet", BOTH_REGIMES) == "Where the regimes meet"


def test_titles_are_sentences_without_identifiers(verdict):
    assert full_title(verdict) == with_regime(verdict.title, "lazy")
    assert variable_of(verdict) == "h"
    assert list(section_titles()) == [claim.name for claim in claims()]
    assert not any("_" in title for title in section_titles().values())
    assert len(set(section_titles().values())) == len(claims())


def test_a_law_of_the_users_own_stands_under_its_own_heading(verdict):
    own = dataclasses.replace(verdict, claim="mine", title="y ~ x^2")
    assert is_theorys(verdict)
    assert not is_theorys(own)
    assert section_title(verdict) == section_titles()[verdict.claim]
    assert section_title(own) == "Your prediction y ~ x^2"


@pytest.mark.parametrize("form", Form)
def test_powers_are_those_with_logarithms_and_bounds_too(verdict, form):
    expected = form in (Form.POWER, Form.POWER_WITH_LOGARITHMS, Form.BOUND)
    assert is_power(dataclasses.replace(verdict, form=form)) == expected
