"""Labels are signs: ±1 as they are, or the parity of a class's number, even +1 and odd -1."""

from __future__ import annotations

import numpy as np

from lazyrich.errors import InputError

#: above it floating point numbers are even only
_LARGEST = 2**53
_THRESHOLD = "Threshold them: y = np.where(y > 0, 1, -1), say"


def signs(classes: np.ndarray) -> np.ndarray:
    """Return the labels of classes by parity: +1.0 for even numbers, -1.0 for odd ones.

    Examples
    --------
    >>> signs(np.array([0, 1, 2, 7]))
    array([ 1., -1.,  1., -1.])
    """
    return np.where(classes % 2 == 0, 1.0, -1.0)


def class_ranks(labels: np.ndarray) -> np.ndarray:
    """Number the classes of a known data set 0, 1, ... in the order of their labels."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def class_numbers(labels: np.ndarray, file: str) -> np.ndarray:
    """Return class numbers (int64) whose parity is the sign of each label of a user's file.

    ``labels`` (n,) are finite numbers or booleans: ±1 (numbered +1 -> 0, -1 -> 1), or the class numbers themselves,
    integers from 0 on (of any numeric type), of which False is 0 and True 1.

    Raises
    ------
    InputError
        If they are anything else, or all of the same sign.

    Examples
    --------
    >>> class_numbers(np.array([1.0, -1.0, 1.0]), "mine.npz")
    array([0, 1, 0])
    >>> signs(class_numbers(np.array([3, 5, 8]), "mine.npz"))
    array([-1., -1.,  1.])
    """

    def refuse(problem: str, remedy: str) -> InputError:
        return InputError("dataset", file, problem, remedy)

    values = np.unique(labels)
    if set(values.tolist()) <= {-1, 1}:
        numbers = (labels < 0).astype(np.int64)
    elif (values != np.floor(values)).any():
        raise refuse(f"labels are {_shown(values)}: neither ±1 nor booleans nor whole numbers", _THRESHOLD)
    elif values[0] < 0:
        problem = f"labels are {_shown(values)}: below zero only -1 is understood, beside 1 alone"
        raise refuse(problem, f"{_THRESHOLD}; or number the classes from 0 on")
    elif values[-1] > _LARGEST:
        raise refuse(f"labels are {_shown(values)}: too large for numbers of classes", _THRESHOLD)
    else:
        numbers = labels.astype(np.int64)
    if len(np.unique(numbers % 2)) < 2:
        if len(values) < 2:
            raise refuse("all labels are the same", "Give points of both signs")
        parity = "odd" if numbers[0] % 2 else "even"
        problem = f"labels are {_shown(values)}: all {parity}, and a label is the parity of its class"
        raise refuse(problem, f"Give ±1: y = np.where(y == {_number(values[0])}, 1, -1), say")
    return numbers


def _shown(values: np.ndarray) -> str:
    """The first values in words."""
    text = ", ".join(_number(value) for value in values[:4])
    return f"{text} and {len(values) - 4:,} more values" if len(values) > 4 else text


def _number(value: np.generic) -> str:
    return f"{value:.6g}" if value.dtype.kind == "f" else str(value)
