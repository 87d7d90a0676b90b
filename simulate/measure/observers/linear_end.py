"""The end of linear dynamics: the time t1 at which a trajectory leaves its tangent."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from simulate.campaign.dynamics import Adam
from simulate.measure.observer import EventObserver
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from simulate.campaign.experiment import Experiment
    from simulate.measure.tangent import Tangent
    from simulate.training.moment import Moment


class LinearEnd(EventObserver):
    """rms_test|F(t) - F(0) - t F'(0)| reaches half of rms_test|t F'(0)|."""

    variables = {
        "time_linear": Variable(
            "first time with rms_test|F(t) - t F'(0)| > rms_test|t F'(0)|/2 (end of linear dynamics); NaN if never"
        ),
        "output_rms_linear": Variable("rms over test points of F at time_linear"),
        "kernel_change_linear": Variable("kernel_change at time_linear"),
    }
    tolerance = 4e-3

    @classmethod
    def happens(cls, experiment: Experiment) -> bool:
        """Adam has no tangent: its first update is as long as any, whatever the gradient."""
        return not isinstance(experiment.dynamics, Adam)

    @functools.cached_property
    def tangent(self) -> Tangent:
        """The tangents of all members."""
        from simulate.measure.tangent import Tangent

        return Tangent(self.batch)

    def value(self, moment: Moment) -> Tensor:
        """Return the departure from the tangent minus 1/2: it starts at -1/2 and grows linearly in t."""
        return self.tangent.departure(moment) - 0.5

    def record(self, moment: Moment) -> None:
        """Keep the time, the output's size and the kernel's change."""
        members, held_out = moment.members, self.batch.held_out
        self.columns.put("time_linear", members, moment.time)
        self.columns.put("output_rms_linear", members, held_out.output_rms(members, moment.weights))
        self.columns.put("kernel_change_linear", members, held_out.kernel_change(members, moment.weights)[0])
