"""The one exception for anything a user can get wrong."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave can't be used.

    Parameters
    ----------
    field : str
        Name of the argument, option or campaign field, e.g. ``"experiment[0].widths"``.
    value : object
        What was given.
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
        shown = repr(value)
        if len(shown) > 200:
            shown = shown[:200] + "…"
        super().__init__(f"{field} = {shown}: {problem}. {remedy}.")
        self.field = field
        self.value = value
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self):  # so that it survives the way back from a worker process
        return type(self), (self.field, self.value, self.problem, self.remedy)
