"""What a source says of its networks, checked where it is read: each field that is looked at has its type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lazyrich.errors import InputError
from lazyrich.texts import unprintable

#: letters of a name, of a formula, and of any other text
LONGEST_NAME, LONGEST_TEXT = 200, 2000
#: hidden layers
DEEPEST = 1000


def checked_name(name: object, source: str) -> str:
    """Return the name of an experiment: a line of text.

    Raises
    ------
    InputError
        If it is no text, empty, too long, or has letters that can't be printed.
    """
    if isinstance(name, int | np.integer) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"{source}: name", name, "an experiment's name is a text", "Name it in a few letters")
    problem = unprintable(name, LONGEST_NAME)
    if problem:
        raise InputError(f"{source}: name", name, problem, "Rename the experiment")
    return name


def checked_description(description: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the description of the experiment called ``name`` with its fields in their types.

    Whole numbers may be written 3, 3.0 or "3", and switches true, 1 or "true". Fields that nothing looks at are kept
    as they are. A field that is None, NaN or missing says nothing, and is left out.

    Raises
    ------
    InputError
        For the first field of another type.

    Examples
    --------
    >>> checked_description({"depth": 3.0, "normalise": "false", "mine": [1]}, "relu-L3")
    {'depth': 3, 'normalise': False, 'mine': [1]}
    >>> checked_description({"depth": 2.5}, "relu-L3")
    Traceback (most recent call last):
    lazyrich.errors.InputError: relu-L3: depth = 2.5: is no whole number from 1 to 1000. Write one, or leave it out.
    """
    result = {}
    for key, value in description.items():
        plain = value.item() if isinstance(value, np.generic) else value
        if plain is None or (isinstance(plain, float) and math.isnan(plain)):
            continue
        try:
            result[key] = _CHECKS[key](plain) if key in _CHECKS else plain
        except (ValueError, TypeError, OverflowError) as error:
            problem = str(error) if isinstance(error, _WrongType) else "can't be read"
            raise InputError(f"{name}: {key}", value, problem, "Write one, or leave it out") from None
    return result


def dynamics_name(description: Mapping[str, Any]) -> str | None:
    """Return the name of the dynamics that a checked description says networks were trained by; None if it says none.

    A campaign's description has the name in a table of their parameters, a column of a table has it alone.
    """
    dynamics = description.get("dynamics")
    return dynamics.get("name") if isinstance(dynamics, Mapping) else dynamics


class _WrongType(ValueError):
    """The message is a clause: what the value is not."""


def _whole(least: int, largest: int) -> Callable[[object], int]:
    problem = f"is no whole number from {least} to {largest}"

    def check(value: object) -> int:
        if isinstance(value, str) and value.strip().removesuffix(".0").isdecimal() and len(value) < 20:
            value = int(value.strip().removesuffix(".0"))
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not is_whole or not least <= value <= largest:  # type: ignore[operator]
            raise _WrongType(problem)
        return int(value)  # type: ignore[call-overload]

    return check


def _switch(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false", "1", "0", "1.0", "0.0"):
        raise _WrongType("is neither true nor false")
    return text in ("true", "1", "1.0")


def _text(value: object) -> str:
    if not isinstance(value, str) or unprintable(value, LONGEST_TEXT):
        raise _WrongType(f"is no text of at most {LONGEST_TEXT} letters in one line")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _WrongType("is no finite number")
    return float(value)


def _dynamics(value: object) -> object:
    name = value.get("name", "gradient_flow") if isinstance(value, Mapping) else value
    _text(name)
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "activation": _text,
    "architecture": _text,
    "bias": _number,
    "data_seed": _whole(0, 2**63),
    "dataset": _text,
    "depth": _whole(1, DEEPEST),
    "dynamics": _dynamics,
    "loss": _text,
    "n_train": _whole(1, 10**12),
    "normalise": _switch,
    "pca": _whole(1, 10**9),
    "subtract_initial": _switch,
}
