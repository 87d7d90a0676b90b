"""The end of training: the loss's own stopping criterion."""

from __future__ import annotations

from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.training.moment import Moment


class Stop:
    """The terminal event (`simulate.training.events.Event`): the stopping criterion is met."""

    tolerance = 1e-3
    terminal = True

    def __init__(self, flow: GradientFlow) -> None:
        self.flow = flow

    def value_from_output(self, output: Tensor) -> Tensor:
        """Return the loss's progress, (members,): zero where the criterion is met."""
        return self.flow.progress(output)

    def value(self, moment: Moment) -> Tensor:
        """See `value_from_output`."""
        return self.value_from_output(moment.output)

    def record(self, moment: Moment) -> None:
        """Nothing: what is measured at the end is measured of every member, however it ended."""
