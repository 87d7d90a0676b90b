"""Where two campaigns differ: the first field, by its path."""

import pytest

from simulate.store.differences import first_difference


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"a": 1, "b": 2}, {"b": 3, "a": 0}, ("a", 1, 0)),
        ({"a": {"b": [0, {"c": 1}]}}, {"a": {"b": [0, {"c": 2}]}}, ("a.b[1].c", 1, 2)),
        ({"a": 1}, {}, ("a", 1, None)),
        ({}, {"a": 1}, ("a", None, 1)),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, ("a", [1, 2], [1, 2, 3])),
        ({"a": [1]}, {"a": {"b": 1}}, ("a", [1], {"b": 1})),
        (1, 2, ("", 1, 2)),
        ({"a": [{"name": "x", "b": 1}]}, {"a": [{"name": "x"}, {"name": "y"}]}, ("a", ["x"], ["x", "y"])),
    ],
)
def test_the_first_field_that_differs_is_named(old, new, expected):
    assert first_difference(old, new) == expected
