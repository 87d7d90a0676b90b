"""How training ends."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """How a network's training ended."""

    PENDING = 0
    CONVERGED = 1
    MAX_STEPS = 2
    STALLED = 3
    DIVERGED = 4
    OUT_OF_MEMORY = 5
    TIME_LIMIT = 6

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.PENDING: "not run yet",
    Status.CONVERGED: "the stopping criterion was met",
    Status.MAX_STEPS: "the stopping criterion was not met within max_steps",
    Status.STALLED: "the flow came to rest, or its step size fell below the resolution of the time",
    Status.DIVERGED: "a loss or an output became NaN or infinite",
    Status.OUT_OF_MEMORY: "the device had too little memory, even for this network alone",
    Status.TIME_LIMIT: "the wall-clock limit was reached",
}
