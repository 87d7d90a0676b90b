"""Even parts: how many of many things are done at once."""

from __future__ import annotations

import math


def chunk_size(count: int, most: int | None, unit: int = 1) -> int:
    """Return the size of the largest of as few even parts of ``count`` as there can be with at most ``most`` each.

    Of items that are alike in units of ``unit``, a part has whole units, one at least, even where ``most`` is half of
    one; where it is less, parts are those of a unit. ``most`` None is no limit.
    """
    if not most or not count:
        return count
    if 2 * most < unit:
        return chunk_size(unit, most)
    units = math.ceil(count / unit)
    return unit * math.ceil(units / math.ceil(units / max(1, most // unit)))
