"""A document that bears its checksum is read as it was written, or not at all."""

import pytest

from simulate.store.checked_json import dump_checked, load_checked, load_json


@pytest.mark.parametrize("value", [[], {"a": [1, None, "ö"]}, "text", 0.1])
def test_a_value_comes_back(value):
    assert load_checked(dump_checked(value)) == value


@pytest.mark.parametrize("position", [0, 3, -2])
def test_one_changed_byte_is_seen(position):
    data = bytearray(dump_checked({"a": 1}))
    data[position] ^= 1
    assert load_checked(bytes(data)) is None


@pytest.mark.parametrize("data", [b"", b"{}", b"{}\n", b"\xff\n\n", dump_checked(1) + b"\n"], ids=range(5))
def test_what_bears_no_checksum_is_nothing(data):
    assert load_checked(data) is None


def test_json_that_is_none_or_too_deep_is_nothing():
    assert load_json("{") is None
    assert load_json("[" * 100_000) is None
