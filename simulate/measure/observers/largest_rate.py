"""The largest rate at which gradient descent with steps still trains: measured where a campaign asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.measure.observer import Observer
from simulate.measure.variable import Variable

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.training.driver import Result


class LargestRate(Observer):
    """Each network is trained again from its initial weights, some twenty times, by gradient descent."""

    variables = {
        "largest_stable_rate": Variable(
            "largest rate at which gradient descent brings the mean loss below 1/2 for good, in article time; NaN "
            "where the flow did not"
        )
    }
    optional = True
    looks_at_all = True

    @classmethod
    def serves(cls, experiment: Experiment) -> bool:
        """See `Observer`."""
        return experiment.largest_rate is not None

    def finish(self, result: Result) -> None:
        """Measure once the flow's half times are known."""
        from simulate.measure.stable_rate import largest_stable_rate

        rate = largest_stable_rate(self.batch.flow, self.batch.initial_weights(), self.columns["time_half"])
        self.columns.put("largest_stable_rate", ..., rate)
