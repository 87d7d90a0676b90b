"""Formulas and functions of values alone take one way, and have the same properties."""

import dataclasses

import numpy as np
import pytest

from theory import InputError, black_box
from theory.activation_properties import clear_cached_properties, properties_of

FUNCTIONS = {
    "max(z, z/3)": (lambda z: np.maximum(z, z / 3), lambda z: np.where(z > 0, 1.0, 1 / 3)),
    "z/(1 + abs(z))": (lambda z: z / (1 + np.abs(z)), lambda z: (1 + np.abs(z)) ** -2.0),
    "exp(-z**2)": (lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))),
}


@pytest.mark.parametrize("formula", FUNCTIONS)
def test_values_have_the_properties_of_the_formula(formula):
    name = f"tests_activation_properties:f{list(FUNCTIONS).index(formula)}"
    black_box.register(name, *FUNCTIONS[formula])
    clear_cached_properties()
    known, found = properties_of(formula), properties_of(name)
    assert found.normalisation == pytest.approx(known.normalisation, rel=1e-12)
    assert found.kinks == pytest.approx(known.kinks, abs=1e-12)
    for field in ("degrees", "saturation", "homogeneous", "parity", "switches", "kink_strength"):
        assert getattr(found, field) == getattr(known, field), field
    assert found.power_ranges[-1] == known.power_ranges[-1]


@pytest.mark.parametrize(
    ("value", "slope", "problem"),
    [
        (lambda z: 0 * z + 1, lambda z: 0 * z, "it is constant"),
        (lambda z: np.sign(z - 1), lambda z: 0 * z, "it jumps at z = 1, so it has no gradient flow"),
        (lambda z: np.log1p(z**2), lambda z: 2 * z / (1 + z**2), "towards -infinity its degree does not settle"),
        (lambda z: 1e-150 * z, lambda z: 0 * z + 1e-150, "its second moment under N(0, 1) is not a positive number"),
    ],
    ids=["constant", "jump", "logarithm", "tiny"],
)
def test_values_that_theory_can_say_nothing_about_are_refused(value, slope, problem):
    black_box.register("tests_activation_properties:refused", value, slope)
    clear_cached_properties()
    with pytest.raises(InputError) as caught:
        properties_of("tests_activation_properties:refused")
    assert problem in caught.value.problem


def test_properties_are_worked_out_once_until_they_are_cleared():
    before = properties_of("relu")
    assert properties_of("relu") is before
    clear_cached_properties()
    assert properties_of("relu") is not before
    assert dataclasses.asdict(properties_of("relu")) == dataclasses.asdict(before)
