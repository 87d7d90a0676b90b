"""Labels are ±1, booleans, or whole numbers by parity; anything else is refused, and told how to be a sign."""

import numpy as np
import pytest

from simulate.data.labels import class_numbers, class_ranks, signs
from theory import InputError


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
def test_plus_and_minus_one_are_kept(dtype):
    y = np.array([1, -1, -1, 1], dtype)
    assert signs(class_numbers(y, "f.npz")).tolist() == [1.0, -1.0, -1.0, 1.0]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 2, 3], [1, -1, 1, -1]),
        ([0, 1], [1, -1]),
        ([False, True], [1, -1]),
        ([0.0, 1.0, 2.0], [1, -1, 1]),
        ([3, 5, 8], [-1, -1, 1]),
        ([1, 2], [-1, 1]),
        ([2, 4, 6, 9], [1, 1, 1, -1]),
        ([10**9, 1], [1, -1]),
        (np.array([0, 255], np.uint8), [1, -1]),
        (np.array([2**53, 1], np.uint64), [1, -1]),
    ],
)
def test_whole_numbers_are_classes_even_plus_and_odd_minus(labels, expected):
    numbers = class_numbers(np.array(labels), "f.npz")
    assert numbers.dtype == np.int64
    assert signs(numbers).tolist() == expected


def test_classes_keep_their_numbers_so_that_each_is_drawn_as_often():
    assert class_numbers(np.array([8, 3, 5]), "f.npz").tolist() == [8, 3, 5]


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ([0.1, -2.3, 1.7], "neither ±1 nor booleans nor whole numbers"),
        ([0, 0.5, 1], "neither ±1"),
        ([-0.5, 0.5], "neither ±1"),
        ([1.0, 1.0000001], "neither ±1"),
        (list(np.linspace(0, 1, 50)), "46 more values: neither ±1"),
        ([-1, 0, 1], "below zero only -1"),
        ([-1, 0], "below zero only -1"),
        ([-1, 0, 1, 2, 3], "below zero only -1"),
        ([-2, 2], "below zero only -1"),
        ([-1, 2], "below zero only -1"),
        ([1, 3, 7], "1, 3, 7: all odd"),
        ([0, 2], "0, 2: all even"),
        ([-1, -1], "all labels are the same"),
        ([1, 1], "all labels are the same"),
        ([True, True], "all labels are the same"),
        ([5], "all labels are the same"),
        ([1.0, 2.0**60], "too large"),
        ([0.0, 1e300], "too large"),
        (np.array([0, 2**63 + 1], np.uint64), "too large"),
    ],
)
def test_anything_else_is_refused_and_told_what_to_do(labels, problem):
    with pytest.raises(InputError, match=problem) as caught:
        class_numbers(np.array(labels), "mine.npz")
    assert caught.value.field == "dataset"
    assert caught.value.value == "mine.npz"
    assert "np.where(y" in caught.value.remedy or "both signs" in caught.value.remedy


def test_classes_of_known_sets_are_counted_by_rank():
    """EMNIST's letters are numbered from 1 on: A is class 0."""
    assert class_ranks(np.array([1, 26, 2, 1])).tolist() == [0, 2, 1, 0]
