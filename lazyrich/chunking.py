"""Cut many items into few chunks of nearly equal size."""

from __future__ import annotations

import math


def chunk_size(count: int, limit: int | None, unit: int = 1) -> int:
    """Return the largest chunk size when items are split into the fewest near-equal chunks.

    There are ``count`` items, and a chunk has at most ``limit``; None is no limit. Items come in units of ``unit`` that
    are alike, and a chunk should hold whole units: where ``limit`` is half a unit or more, the chunk size is a multiple
    of ``unit``, one unit at least; where it is less, each unit is split on its own.

    Examples
    --------
    >>> chunk_size(230, 100)
    77
    >>> chunk_size(12, 3, unit=4), chunk_size(20, 4, unit=10)
    (4, 4)
    """
    if not limit or not count:
        return count
    if 2 * limit < unit:
        return chunk_size(unit, limit)
    units = math.ceil(count / unit)
    return unit * math.ceil(units / math.ceil(units / max(1, limit // unit)))
