"""Are the files of MNIST and its relatives whole? Their header says how long they must be.

An interrupted download or extraction leaves a file that is cut short; torchvision takes any file of the right name for
the data set and does not fetch it again. A file that holds fewer items than the published one, but as many as its
header says, is a part: it is whole, and read.
"""

from __future__ import annotations

import math
from pathlib import Path

_ITEM_BYTES = {8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8}  # type code of the header -> bytes of a value


def problem(path: Path) -> str | None:
    """Say what is wrong with an IDX file; None if it is as long as its header says.

    Raises
    ------
    OSError
        If it can't be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _ITEM_BYTES:
            return "is not an IDX file"
        sizes = file.read(4 * start[3])
    found = path.stat().st_size
    if len(sizes) < 4 * start[3]:
        return f"is cut short: its header ends after {found} bytes"
    shape = [int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4)]
    wanted = 4 + len(sizes) + _ITEM_BYTES[start[2]] * math.prod(shape)
    if found < wanted:
        return f"is cut short: {found:,} of {wanted:,} bytes"
    if found > wanted:
        return f"is longer than its header says: {found:,} bytes, not {wanted:,}"
    return None


def incomplete(folder: Path, pattern: str) -> dict[Path, str]:
    """Map each broken file among those of this pattern to what is wrong with it."""
    found = ((path, problem(path)) for path in sorted(folder.glob(pattern)))
    return {path: wrong for path, wrong in found if wrong is not None}
