"""The checkpoints of an experiment: times, log-spaced in t/min(1, A), at which networks are looked at on the way."""

from __future__ import annotations

import numpy as np

FIRST, LAST = 1e-3, 1e4  #: of t/min(1, A), when only a number of checkpoints per decade is given


def scaled_times(checkpoints: int | tuple[float, ...] | None) -> np.ndarray:
    """Return the checkpoints t/min(1, A) that a campaign asks for: so many a decade, or the ones listed."""
    if checkpoints is None:
        return np.empty(0)
    if isinstance(checkpoints, int):
        decades = round(np.log10(LAST / FIRST))
        return FIRST * 10.0 ** (np.arange(decades * checkpoints + 1) / checkpoints)
    return np.array(checkpoints)
