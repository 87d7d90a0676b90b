"""Weights: how large each matrix is at the start, and how far it has moved at the end."""

from __future__ import annotations

from simulate.measure.observer import Ending, Observer
from simulate.measure.variable import Variable


class WeightChange(Observer):
    """Frobenius norms of the weight matrices l = 0..L and of their changes."""

    variables = {
        "weight_change": Variable("||W_l(end) - W_l(0)||_F", ("layer",)),
        "weight_norm": Variable("||W_l(0)||_F", ("layer",)),
    }

    def start(self) -> None:
        """See `Observer`."""
        for layer, weights in enumerate(self.batch.drawn):
            norm = weights.norm(dim=(-2, -1))
            self.columns.put("weight_norm", (..., layer), norm[self.batch.seed_of])

    def end(self, ending: Ending) -> None:
        """See `Observer`."""
        seeds = self.batch.seed_of[ending.members]
        for layer, (after, before) in enumerate(zip(ending.weights, self.batch.initial, strict=True)):
            change = after - before[seeds]
            # the first matrix may be held in other coordinates, whose norm is not its own
            norm = self.batch.flow.inputs.norm(change) if layer == 0 else change.norm(dim=(-2, -1))
            self.columns.put("weight_change", (ending.members, layer), norm)
