"""Members of a batch at an instant of each one's own: what events and checkpoints see."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.integrators.protocol import Batch
from simulate.networks.linearisation import Weights


@dataclass
class Moment:
    """Members at an instant.

    ``members`` (m,) are positions in the batch that was handed in, ``flow`` is theirs, ``time`` (m,) is article time,
    in float64; ``known_output`` is `output`, None until it is computed.
    """

    flow: GradientFlow
    members: Tensor
    time: Tensor
    weights: Weights
    known_output: Tensor | None = None

    @classmethod
    def now(cls, batch: Batch) -> Moment:
        """Return the members of a batch where they are."""
        return cls(batch.flow, batch.members, batch.time, batch.weights, batch.point.output)

    @property
    def output(self) -> Tensor:
        """F on the training set, shape (m, n_train)."""
        if self.known_output is None:
            self.known_output = self.flow.predictor(self.flow.network.output(self.weights, self.flow.inputs))
        return self.known_output

    def select(self, index: Tensor | slice) -> Moment:
        """Return the members at positions ``index``."""
        output = None if self.known_output is None else self.known_output[index]
        weights = [w[index] for w in self.weights]
        return Moment(self.flow.select(index), self.members[index], self.time[index], weights, output)
