"""Small parts of the sentences that people read."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    Examples
    --------
    >>> counted(1, "seed"), counted(1200, "network")
    ('1 seed', '1,200 networks')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
