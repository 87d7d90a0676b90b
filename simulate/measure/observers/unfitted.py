"""Networks that end with few training points short of their margin: trained all the same, where a campaign says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable
from simulate.training.status import Status

if TYPE_CHECKING:
    from simulate.campaign.experiment import Experiment
    from simulate.training.driver import Result


class Unfitted(Observer):
    """The share of unfitted points at the end: with no more than the experiment's ``unfitted``, max_steps ends well.

    The article keeps networks that Adam has trained with up to 4 % of their points unfitted.
    """

    variables = {"unfitted": Variable("share of training points with F·y < 1 at the end")}
    optional = True

    @classmethod
    def serves(cls, experiment: Experiment) -> bool:
        """See `Observer`."""
        return experiment.unfitted is not None

    def end(self, ending: Ending) -> None:
        """See `Observer`."""
        from simulate.measure.stop import Stop

        margin = 1.0 - Stop.tolerance  # to which the moment is located at which the last point has margin 1
        share = (ending.output * self.batch.flow.y < margin).double().mean(dim=-1)
        self.columns.put("unfitted", ending.members, share)

    def finish(self, result: Result) -> None:
        """Count as converged what ``max_steps`` ended with few unfitted points."""
        allowed = self.batch.experiment.unfitted
        assert allowed is not None  # `serves`
        enough = (self.columns["unfitted"] <= allowed) & (result.status == Status.MAX_STEPS)
        self.columns["status"][enough] = Status.CONVERGED
