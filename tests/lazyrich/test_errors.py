"""An error shows the value that it is about, whatever that is, and survives the way back from a worker."""

import pickle

import numpy as np
import pytest

from lazyrich.errors import InputError


def deep():
    value: list = []
    for _ in range(10_000):
        value = [value]
    return value


def test_values_that_can_not_be_shown_are_named_by_their_type():
    assert str(InputError("x", 10**5000, "is large", "Give less")) == (
        "x = <int too large to be shown>: is large. Give less."
    )
    assert "<list too large to be shown>" in str(InputError("x", deep(), "is deep", "Flatten it"))
    assert len(str(InputError("x", "a" * 10**6, "is long", "Shorten it"))) < 300


@pytest.mark.parametrize("value", [np.float64(2.5), np.array(2.5)], ids=["scalar", "array"])
def test_a_number_of_numpy_is_shown_as_the_number(value):
    assert str(InputError("x", value, "is no whole number", "Round it")) == "x = 2.5: is no whole number. Round it."


def test_what_was_not_given_is_said_so():
    assert str(InputError("x", None, "it has no default", "Add it")) == "x is not given: it has no default. Add it."


def test_it_survives_pickling():
    error = pickle.loads(pickle.dumps(InputError("x", 1, "is bad", "Mend it")))
    assert (error.field, error.value, error.exit_code) == ("x", 1, 2)
