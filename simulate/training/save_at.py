"""What is stored on the way, at times fixed beforehand.

Checkpoints are log-spaced in t/min(1, A), the flow's own clock in both regimes (t1 ~ A for A << 1, t ~ 1 for A >> 1):
one coordinate serves all networks of an experiment, at each (width, A) all seeds are seen at the same times, and curves
against t/t1 of different A lie over one another where they collapse. Steps do not end on checkpoints: networks are
evaluated on the step's dense output, and the integration is not changed. What comes after the stop is NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from simulate.training.accepted_step import AcceptedStep
from simulate.training.moment import Moment


class SaveAt:
    """Records every member when it passes one of its ``times`` (members, checkpoints), ascending, in float64.

    ``record`` is called with a `Moment` and the positions (m,) in the row of times that its members are at.
    """

    def __init__(self, times: Tensor, record: Callable[[Moment, Tensor], None]) -> None:
        self.times = times
        self.record = record
        #: (members,) position in its row of times of the checkpoint that each member comes to next
        self.next_checkpoint = torch.zeros(len(times), dtype=torch.int64, device=times.device)

    def due(self, members: Tensor, until: Tensor) -> Tensor:
        """Return which of ``members`` pass a checkpoint by the times ``until`` (m,)."""
        rows = self.next_checkpoint[members]
        inside = rows < self.times.shape[1]
        return inside & (self.times[members, rows.clamp(max=self.times.shape[1] - 1)] <= until)

    def record_due(self, step: AcceptedStep, until: Tensor) -> None:
        """Record the checkpoints of a step that lie before ``until`` (m,)."""
        due = torch.nonzero(self.due(step.members, until)).squeeze(-1)
        while len(due):
            step, until = step.select(due), until[due]
            rows = self.next_checkpoint[step.members]
            times = self.times[step.members, rows]
            moment = step.moment_at(((times - step.time) / step.dt).clamp(0.0, 1.0).to(step.dt))
            if step.dense_output.continuous:
                moment.time = times  # without the rounding of time + share dt
            self.record(moment, rows)
            self.next_checkpoint[step.members] += 1
            due = torch.nonzero(self.due(step.members, until)).squeeze(-1)
