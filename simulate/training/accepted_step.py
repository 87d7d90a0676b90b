"""An accepted step of some members, seen between its ends by its dense output."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.integrators.protocol import Batch, DenseOutput, Stepper, StepProposal
from simulate.training.moment import Moment


@dataclass
class AcceptedStep:
    """An accepted step of m members; ``outputs`` are F on the training set at its two ends, (m, n_train)."""

    flow: GradientFlow
    members: Tensor
    time: Tensor
    dt: Tensor
    outputs: tuple[Tensor, Tensor]
    dense_output: DenseOutput

    @classmethod
    def from_proposal(cls, stepper: Stepper, batch: Batch, proposal: StepProposal, index: Tensor) -> AcceptedStep:
        """Return the step ``proposal`` of the members at positions ``index`` of ``batch``."""
        dense_output, flow = stepper.dense_output(batch, proposal, index), batch.flow.select(index)
        outputs = batch.point.output[index], proposal.point.output[index]
        return cls(flow, batch.members[index], batch.time[index], batch.dt[index], outputs, dense_output)

    def moment_at(self, share: Tensor) -> Moment:
        """Return the members at the shares ``share`` (m,) of their steps, from 0 to 1."""
        if not self.dense_output.continuous:
            share = torch.ones_like(share)
        return Moment(self.flow, self.members, self.time + share * self.dt, self.dense_output.weights_at(share))

    def select(self, index: Tensor) -> AcceptedStep:
        """Return the step of the members at positions ``index``."""
        start, end = self.outputs
        flow, outputs = self.flow.select(index), (start[index], end[index])
        return AcceptedStep(
            flow, self.members[index], self.time[index], self.dt[index], outputs, self.dense_output.select(index)
        )
