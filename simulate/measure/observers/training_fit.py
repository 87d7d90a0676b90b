"""The training set at the end: the smallest margin, the loss."""

from __future__ import annotations

from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable


class TrainingFit(Observer):
    """What the fit has come to."""

    variables = {
        "train_margin": Variable("min over training points of F·y at the end"),
        "loss_end": Variable("mean of l(F·y) over training points at the end (without 1/alpha^2)"),
    }

    def end(self, ending: Ending) -> None:
        """See `Observer`."""
        flow = self.batch.flow
        self.columns.put("train_margin", ending.members, (ending.output * flow.y).amin(dim=-1))
        self.columns.put("loss_end", ending.members, flow.mean_loss(ending.output))
