"""A derivation becomes a claim by a decorator, and its predictions get what they do not bring themselves."""

import dataclasses

import pytest

from theory import Model, predictions
from theory.claim import claim, registered

LAW = next(p for p in predictions("relu", 1) if p.claim == "crossover")


@pytest.fixture(autouse=True)
def no_claims(monkeypatch):
    monkeypatch.setattr("theory.claim._claims", {})


def test_a_derivation_is_registered_under_its_own_name_and_stays_a_function():
    @claim("A title", order=3, margin=0.1, because="so")
    def some_law(model):
        return LAW

    made = registered()["some_law"]
    assert (made.name, made.title, made.order, made.margin, made.because) == ("some_law", "A title", 3, 0.1, "so")
    assert made.margin_text == "0.1"
    assert some_law(Model(1)) is LAW


def test_laws_have_the_claims_title_and_margin_unless_they_bring_their_own():
    @claim("Of the claim", margin=0.1)
    def some_law(model):
        yield dataclasses.replace(LAW, title="", margin=None)
        yield dataclasses.replace(LAW, title="Its own", margin=0.02)

    shared, own = registered()["some_law"].laws(Model(1))
    assert (shared.title, shared.margin) == ("Of the claim", 0.1)
    assert (own.title, own.margin) == ("Its own", 0.02)


def test_without_a_margin_it_is_said_to_go_by_depth_and_comes_last():
    @claim("A title")
    def some_law(model):
        return LAW

    made = registered()["some_law"]
    assert made.margin_text == "by depth"
    assert made.order == float("inf")
