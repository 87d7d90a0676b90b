"""The sizes and seeds of models that are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lazyrich.errors import InputError


def check_sizes(sizes: Sequence[int], axis: str = "width") -> list[int]:
    """Return the sizes in ascending order.

    Raises
    ------
    InputError
        If a power can't be taken of them: one size alone, a size twice, or one below 1.
    """
    field = f"{axis}s"
    ascending = sorted(sizes)
    if len(ascending) != len(set(ascending)):
        raise InputError(field, list(sizes), "one is given twice", "Give each once")
    if len(ascending) < 2 or ascending[0] < 1:
        raise InputError(field, list(sizes), "a power needs two sizes or more, of 1 or more", _FOUR)
    return ascending


_FOUR = "Give four, each twice the last"


def check_seeds(seeds: int, least: int = 2) -> None:
    """Refuse so few seeds that there is no interval."""
    if seeds < least:
        raise InputError("seeds", seeds, f"at least {least} are needed", "Give 8")


def size_seed(size: int, seed: int) -> int:
    """Return the seed of torch's generator: those of different sizes are independent draws."""
    return int.from_bytes(hashlib.sha256(f"{size}/{seed}".encode()).digest()[:6], "little")
