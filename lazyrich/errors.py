"""The errors that commands expect: each ends in one sentence and an exit code of its own."""

from __future__ import annotations

from lazyrich.texts import one_line

_LONGEST_VALUE = 200
_LONGEST_CLAUSE = 2000  # of a message: names of columns, say, may be megabytes


class ExpectedError(Exception):
    """Something that can happen to anyone: its text is a sentence, its ``exit_code`` how a command ends with it."""

    exit_code = 2


class InputError(ExpectedError, ValueError):
    """Something the user gave can't be used.

    Parameters
    ----------
    field : str
        Name of the argument, option or campaign field, e.g. ``"experiment[0].widths"``.
    value : object
        What was given; None if nothing was.
    problem : str
        Why it can't be used: a clause without a full stop.
    remedy : str
        What to do instead: a sentence without a full stop.

    Examples
    --------
    >>> raise InputError("depth", 0, "a network needs a hidden layer", "Give a depth of 1 or more")
    Traceback (most recent call last):
    lazyrich.errors.InputError: depth = 0: a network needs a hidden layer. Give a depth of 1 or more.
    """

    def __init__(self, field: str, value: object, problem: str, remedy: str) -> None:
        field, problem, remedy = (_shortened(text, _LONGEST_CLAUSE) for text in (field, problem, remedy))
        given = "is not given" if value is None else f"= {_shown(value)}"
        super().__init__(one_line(f"{field} {given}: {problem}. {remedy}."))
        self.field = field
        self.value = value
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self):  # so that it survives the way back from a worker process
        return type(self), (self.field, self.value, self.problem, self.remedy)


def _shown(value: object) -> str:
    """Return a value as a message shows it: shortened, and whatever it is."""
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:  # a number of numpy's, in which it is that number
        value = value.item()  # type: ignore[attr-defined]
    try:
        shown = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; a value nested too deeply
        shown = f"<{type(value).__name__} too large to be shown>"
    return _shortened(shown, _LONGEST_VALUE)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"
