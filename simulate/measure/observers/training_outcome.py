"""How training ended, when, and what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.measure.observer import Observer
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from simulate.training.driver import Result


class TrainingOutcome(Observer):
    """What the driver of the integration says of each network."""

    variables = {
        "time_end": Variable("time at which training stopped"),
        "steps": Variable("accepted integrator steps", dtype="int32"),
        "gradient_evaluations": Variable("forward-backward passes over the training set", dtype="int32"),
        "status": Variable("how training ended", dtype="int8"),
    }

    def finish(self, result: Result) -> None:
        """See `Observer`."""
        self.columns.put("time_end", ..., result.time_end)
        self.columns.put("steps", ..., result.steps)
        self.columns.put("gradient_evaluations", ..., result.evaluations)
        self.columns.put("status", ..., result.status)
