"""Architectures are found by name: those in the package, and those that users registered."""

import pytest
from user_architectures import Plain, spec

from simulate import Architecture, register_architecture
from simulate.networks.convolutional import Convolutional
from simulate.networks.fully_connected import FullyConnected
from simulate.networks.registry import architecture_class, architecture_names, user_architectures
from theory import InputError


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch):
    monkeypatch.setattr("simulate.networks.registry._registered", {})


def test_architectures_of_the_package_need_not_be_registered():
    assert {"fc", "cnn"} <= set(architecture_names())
    assert architecture_class("fc") is FullyConnected
    assert architecture_class("cnn") is Convolutional
    assert user_architectures() == ()


def test_registered_ones_are_named_after_them_and_sent_to_workers():
    register_architecture(Plain)
    assert architecture_names()[-1] == "plain"
    assert architecture_class("plain") is Plain
    assert user_architectures() == (Plain,)
    register_architecture(Plain)  # the same again: a module may be imported twice
    assert user_architectures() == (Plain,)


@pytest.mark.parametrize("taken", ["fc", "plain"])
def test_names_are_taken_once(taken):
    register_architecture(Plain)

    class Other(Plain):
        name = taken

    with pytest.raises(InputError, match="another architecture"):
        register_architecture(Other)
    assert architecture_class("plain") is Plain


def test_unknown_names_and_fields_that_an_architecture_does_not_know_are_refused():
    register_architecture(Plain)
    with pytest.raises(ValueError, match="no such architecture"):
        spec("nosuch")
    with pytest.raises(InputError, match=r"Use one of .*plain"):
        architecture_class("nosuch")
    with pytest.raises(ValueError, match="has none"):
        spec("plain", bias=0.1)


def test_what_is_no_whole_architecture_is_refused():
    class Nameless(Architecture):
        weight_shapes = Plain.weight_shapes
        forward = Plain.forward

    class Formless(Architecture):
        name = "formless"
        weight_shapes = Plain.weight_shapes

    for wrong, problem in (
        (Nameless, "no name"),
        (Formless, "no forward"),
        (dict, "not a class derived"),
        (3, "not a class"),
    ):
        with pytest.raises(InputError, match=problem):
            register_architecture(wrong)
    assert user_architectures() == ()
