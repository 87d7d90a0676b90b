"""Steps of several kinds in one proposal: each group of a batch's members proposed by a stepper of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from simulate.integrators.protocol import Batch, DenseOutput, Stepper, StepProposal
from simulate.networks.linearisation import Weights


@dataclass
class Group:
    """Members at positions ``index`` of a batch, as a ``batch`` of their own, and what ``stepper`` proposes."""

    index: Tensor
    batch: Batch
    stepper: Stepper
    proposal: StepProposal


@dataclass
class JoinedProposal(StepProposal):
    """Proposed steps of several groups, which together are all members."""

    groups: list[Group] = field(kw_only=True)

    def dense_output(self, index: Tensor) -> DenseOutput:
        """Return the dense output of the members at positions ``index`` of the whole batch."""
        parts = []
        for group in self.groups:
            position = torch.full_like(self.point.output[:, 0], -1, dtype=torch.int64)  # in the group, -1 outside it
            position[group.index] = torch.arange(len(group.index), device=index.device)
            chosen = torch.nonzero(position[index] >= 0).squeeze(-1)
            if len(chosen):
                within = position[index[chosen]]
                parts.append((chosen, group.stepper.dense_output(group.batch, group.proposal, within)))
        return JoinedDenseOutput(parts)


def join(batch: Batch, groups: list[Group]) -> JoinedProposal:
    """Return one proposal of all members; its number of evaluations is that of the first group."""
    weights, state = ([torch.empty_like(t) for t in tensors] for tensors in (batch.weights, batch.state))
    error = torch.empty_like(batch.point.output)
    # a copy, to be overwritten
    point = batch.point.select(torch.arange(len(batch.members), device=batch.members.device))
    for group in groups:
        part = group.proposal
        for whole, tensor in zip([*weights, *state, error], [*part.weights, *part.state, part.error], strict=True):
            whole[group.index] = tensor
        point.put(group.index, part.point)
    return JoinedProposal(weights, point, error, groups[0].proposal.evaluations, state=tuple(state), groups=groups)


@dataclass
class JoinedDenseOutput:
    """Dense outputs of several kinds: of each the positions (k,) of its members, and itself."""

    parts: list[tuple[Tensor, DenseOutput]]
    continuous = True

    def weights_at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        weights: Weights = []
        for index, dense_output in self.parts:
            part = dense_output.weights_at(share[index])
            weights = weights or [w.new_empty(len(share), *w.shape[1:]) for w in part]
            for whole, w in zip(weights, part, strict=True):
                whole[index] = w
        return weights

    def select(self, index: Tensor) -> JoinedDenseOutput:
        """See `simulate.integrators.protocol.DenseOutput`."""
        parts = []
        for members, dense_output in self.parts:
            same = index.unsqueeze(-1) == members
            chosen, within = torch.nonzero(same, as_tuple=True)
            if len(chosen):
                parts.append((chosen, dense_output.select(within)))
        return JoinedDenseOutput(parts)

    def predict_outputs(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """See `simulate.integrators.protocol.DenseOutput`."""
        predictions = [part.predict_outputs(start[members], end[members]) for members, part in self.parts]
        count = max(len(share) for share, _ in predictions)
        shares, outputs = start.new_empty(count, len(start)), start.new_empty(count, *start.shape)
        for (members, _), (share, output) in zip(self.parts, predictions, strict=True):
            row = torch.arange(count, device=start.device).clamp(max=len(share) - 1)  # the end is repeated
            shares[:, members], outputs[:, members] = share[row], output[row]
        return shares, outputs
