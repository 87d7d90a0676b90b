"""Single fields of an experiment: what they become, and what is refused."""

import pytest

from simulate.campaign.fields import (
    ascending,
    expand_range,
    known_activation,
    known_arms,
    known_checkpoints,
    named_dynamics,
)
from theory import InputError


def test_a_range_has_powers_of_ten_that_do_not_depend_on_where_it_starts():
    wide = expand_range({"start": 1e-4, "stop": 1e4, "per_decade": 3})
    narrow = expand_range({"start": 1e-2, "stop": 1e-1, "per_decade": 3})
    assert len(wide) == 25
    assert set(narrow) < set(wide)
    # an end between two points is none of them
    assert expand_range({"start": 2.0, "stop": 99.0, "per_decade": 1}) == (10.0,)


@pytest.mark.parametrize("per_decade", [0, 1.5, 101, True, "2"])
def test_a_range_has_a_whole_number_of_points_per_decade(per_decade):
    with pytest.raises(InputError, match="whole number"):
        expand_range({"start": 1.0, "stop": 10.0, "per_decade": per_decade})


def test_a_list_is_no_range():
    assert expand_range([1.0, 2.0]) == [1.0, 2.0]


def test_values_once_each_and_ascending():
    assert ascending((1.0, 2.0)) == (1.0, 2.0)
    assert ascending(None) is None
    with pytest.raises(InputError, match="ascending and different"):
        ascending((1.0, 1.0))


def test_dynamics_without_a_name_are_gradient_flow():
    assert named_dynamics({"integrator": "euler"}) == {"name": "gradient_flow", "integrator": "euler"}
    with pytest.raises(InputError, match="no such dynamics"):
        named_dynamics({"name": "newton"})


@pytest.mark.parametrize("checkpoints", [None, 1, 20, [0.5], (0.5, 2)])
def test_checkpoints_that_are_taken_as_they_are(checkpoints):
    assert known_checkpoints(checkpoints) == checkpoints


@pytest.mark.parametrize("checkpoints", [True, 4.0, 21, [True], [float("inf")], "4"])
def test_checkpoints_that_are_refused(checkpoints):
    with pytest.raises(InputError, match="1 to 20 per decade"):
        known_checkpoints(checkpoints)


def test_an_unknown_arm_is_named():
    with pytest.raises(InputError, match="no such arm") as caught:
        known_arms(("network", "kernel"))
    assert caught.value.value == "kernel"


def test_a_formula_and_a_function_come_without_spaces_around_them():
    assert known_activation(" relu(z) ") == "relu(z)"
    assert known_activation(" my.module:sigma ") == "my.module:sigma"
