"""The time at which half of the loss is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.measure.observer import EventObserver
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from simulate.training.moment import Moment


class HalfLoss(EventObserver):
    """The mean loss l(F·y) over the training set falls to 1/2."""

    variables = {
        "time_half": Variable("first time with mean l(F·y) < 1/2; NaN if never"),
        "output_rms_half": Variable("rms over test points of F at time_half"),
    }
    tolerance = 2e-3

    def value_from_output(self, output: Tensor) -> Tensor:
        """Return 1/2 minus the mean loss."""
        return 0.5 - self.batch.flow.mean_loss(output)

    def value(self, moment: Moment) -> Tensor:
        """See `value_from_output`."""
        return self.value_from_output(moment.output)

    def record(self, moment: Moment) -> None:
        """Keep the time and the output's size."""
        output_rms = self.batch.held_out.output_rms(moment.members, moment.weights)
        self.columns.put("time_half", moment.members, moment.time)
        self.columns.put("output_rms_half", moment.members, output_rms)
