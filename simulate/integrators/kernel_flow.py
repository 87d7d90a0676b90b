r"""Steps as long as the kernel allows: the loss relaxes in function space, between evaluations of the networks.

While J is frozen, dw/dt = J^T c(F) is solved by w + J^T p, p = int c dt, and F = F_0 + alpha Theta p makes p the
solution of an equation for n numbers (`simulate.integrators.frozen_flow`). So, with J_0 and Theta at the start,

    p from the frozen flow,                      w_1 = w + J_0^T p,              J_1, F_1 = F(w_1);
    p again, with what F_1 has beyond it,        w_new = w + J_0^T (p - q) + J_1^T q,    q = int x dp,

where J is taken to change in proportion to the way x that weights, or coefficients, have gone, from 0 to 1
(`simulate.integrators.frozen_flow.Path`): the method is of order 2 in the change of the kernel, and exact for
networks that are linear, whatever dt is. What the second pass adds to F_0 + alpha Theta p, in proportion to x², is F_1
minus that, and alpha J_0 (J_1 - J_0)^T q. The estimated error is what J_0 does not explain of the way from w_1 to
w_new,

    F(w_new) - F(w_1) - alpha J_0 (w_new - w_1),

of order 3 as the error itself, and taken from forward passes, so that it sees kinks. Its largest entry counts: in long
steps it is concentrated on a few points, and the stop waits for the last of them.

Members whose step is not stiff, max(D) tr(Theta) dt/n < 1/10, need no kernel if it leaves their forces as they are, to
1/5: they take the explicit step of `simulate.integrators.adams`. With a soft hinge that is the growth from small
amplitudes, and its curvature, which rises from nothing within a step, tells less than where the first force leads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.adams import Adams
from simulate.integrators.frozen_flow import FrozenFlow, Path, follow
from simulate.integrators.protocol import Batch, DenseOutput, SolverState, StepProposal
from simulate.networks.linearisation import Linearisation, Weights

EVALUATIONS_PER_STEP = 2  #: forward-backward passes over the training set
_STIFF = 0.1
_TURNED = 0.2  # of the largest force
_EXPLICIT = 0.6  # of the estimate counts: Moulton's result is better than what it corrects, by an order
# shares of the tolerance for the frozen flow: it is solved for where J changes to first, then for the step itself
_ROUGH, _INNER = 1.0, 0.1


@dataclass
class FrozenProposal(StepProposal):
    """A proposed stiff step, and for its dense output the path, and the networks where the frozen flow ends."""

    path: Path = field(kw_only=True)
    stage: Linearisation = field(kw_only=True)


@dataclass
class SplicedProposal(StepProposal):
    """Proposed steps of two kinds: of each the positions in the batch, the batch of its own, and the proposal."""

    parts: list[tuple[Tensor, Batch, StepProposal]] = field(kw_only=True)


class KernelFlow:
    """The `simulate.integrators.protocol.Stepper`; it remembers what explicit steps remember.

    ``scale`` (members,) and ``tolerance`` are those of `simulate.integrators.ErrorControl`; ``by_weights`` says what
    way J is taken to change along. With that of the weights, kernel changes in the lazy regime are off by a third; the
    narrow convolutional networks that hardly fit take up to three times as many steps with it.
    """

    order = 3

    def __init__(self, scale: Tensor, tolerance: float, *, by_weights: bool = True) -> None:
        self.scale = scale
        self.tolerance = tolerance
        self.by_weights = by_weights
        self.explicit = Adams()

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return self.explicit.init(flow, weights, point)

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        stiff, tried = _stiff(batch), torch.zeros_like(batch.steps)
        parts: list[tuple[Tensor, Batch, StepProposal]] = []
        soft = torch.nonzero(~stiff).squeeze(-1)
        if len(soft):
            own = _part(batch, soft)
            predicted = self.explicit.predict(own)
            turned = _turned(own.point, predicted.point)
            if turned.any():
                stiff[soft[turned]] = True
                tried[soft[turned]] = 1
                left = torch.nonzero(~turned).squeeze(-1)
                soft, own, predicted = soft[left], own.select(left), predicted.select(left)
            if len(soft):
                proposal = self.explicit.correct(own, predicted)
                parts.append((soft, own, replace(proposal, error=_EXPLICIT * proposal.error)))
        if stiff.any():
            index = torch.nonzero(stiff).squeeze(-1)
            own = _part(batch, index)
            parts.append((index, own, self._relax(own)))
        return _spliced(batch, parts, tried)

    def _relax(self, batch: Batch) -> FrozenProposal:
        """A step of members that are all stiff."""
        flow, point, dt, at = batch.flow, batch.point, batch.dt, batch.point.linearisation
        frozen = FrozenFlow.of(flow, point, at.kernel(), by_weights=self.by_weights)
        scale = self.scale[batch.members]
        path = follow(frozen, dt, scale, _ROUGH * self.tolerance)
        p, late = path.p[-1], path.late[-1]
        stage = flow(at.add_pullback(batch.weights, p))

        # all of F times y, as the frozen flow has it
        crossed = flow.y * flow.alpha.unsqueeze(-1) * at.pushforward(stage.linearisation.pullback(late))
        crossed -= frozen.through(late / frozen.unit)
        beyond = flow.y * (stage.output - point.output) - frozen.through(p / frozen.unit) + crossed
        path = follow(frozen.bent(beyond, p), dt, scale, _INNER * self.tolerance)
        # by the first path's q: with the second's it would differ in order 4
        explained = flow.y * (frozen.through((path.p[-1] - p) / frozen.unit) + crossed)

        p, late = path.p[-1], path.late[-1]
        new = stage.linearisation.add_pullback(at.add_pullback(batch.weights, p - late), late)
        arrived = flow(new)
        error = arrived.output - stage.output - explained
        state = self.explicit.forget(batch.state)
        return FrozenProposal(new, arrived, error, EVALUATIONS_PER_STEP, state, path=path, stage=stage.linearisation)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> DenseOutput:
        """See `Stepper`."""
        if isinstance(proposal, SplicedProposal):
            pieces = []
            for members, own, part in proposal.parts:
                place = torch.full_like(batch.members, -1)
                place[members] = torch.arange(len(members), device=members.device)
                chosen = torch.nonzero(place[index] >= 0).squeeze(-1)
                if len(chosen):
                    pieces.append((chosen, self.dense_output(own, part, place[index[chosen]])))
            return Spliced(pieces)
        if not isinstance(proposal, FrozenProposal):
            return self.explicit.dense_output(batch, proposal, index)
        start = [w[index] for w in batch.weights]
        first, last = batch.point.linearisation.select(index), proposal.stage.select(index)
        return Bend(start, first, last, proposal.path.select(index), batch.flow.y)


def _stiff(batch: Batch) -> Tensor:
    """Whether the step is too long for an explicit one, as far as curvature tells where it starts, (m,)."""
    stiffness = (
        batch.dt / len(batch.flow.y) * batch.point.curvature.amax(dim=-1) * batch.point.linearisation.kernel_trace()
    )
    return ~(stiffness < _STIFF)


def _turned(start: Point, end: Point) -> Tensor:
    """Whether forces have changed, (m,)."""
    change = (end.force - start.force).abs().amax(dim=-1)
    return ~(change < _TURNED * start.force.abs().amax(dim=-1))


def _part(batch: Batch, index: Tensor) -> Batch:
    return batch if len(index) == len(batch.members) else batch.select(index)


def _spliced(batch: Batch, parts: list[tuple[Tensor, Batch, StepProposal]], tried: Tensor) -> StepProposal:
    """Return one proposal of all members; ``tried`` (m,) are evaluations beside those of the parts."""
    evaluations = EVALUATIONS_PER_STEP + tried
    if len(parts) == 1:
        return replace(parts[0][2], evaluations=evaluations)
    weights, state = ([torch.empty_like(t) for t in tensors] for tensors in (batch.weights, batch.state))
    error = torch.empty_like(batch.point.output)
    point = batch.point.select(torch.arange(len(tried), device=tried.device))  # a copy, to be overwritten
    for index, _, proposal in parts:
        for whole, own in zip(
            [*weights, *state, error], [*proposal.weights, *proposal.state, proposal.error], strict=True
        ):
            whole[index] = own
        point.put(index, proposal.point)
    return SplicedProposal(weights, point, error, evaluations, tuple(state), parts=parts)


@dataclass
class Spliced:
    """Dense output of steps of several kinds: of each the positions of its members, and its own."""

    pieces: list[tuple[Tensor, DenseOutput]]
    continuous = True

    def at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        found: Weights = []
        for index, dense_output in self.pieces:
            own = dense_output.at(share[index])
            found = found or [w.new_empty(len(share), *w.shape[1:]) for w in own]
            for whole, w in zip(found, own, strict=True):
                whole[index] = w
        return found

    def select(self, index: Tensor) -> Spliced:
        """See `simulate.integrators.protocol.DenseOutput`."""
        pieces = []
        for members, dense_output in self.pieces:
            same = index.unsqueeze(-1) == members
            chosen, place = torch.nonzero(same, as_tuple=True)
            if len(chosen):
                pieces.append((chosen, dense_output.select(place)))
        return Spliced(pieces)

    def expected(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """See `simulate.integrators.protocol.DenseOutput`."""
        found = [dense_output.expected(start[members], end[members]) for members, dense_output in self.pieces]
        most = max(len(share) for share, _ in found)
        shares, outputs = start.new_empty(most, len(start)), start.new_empty(most, *start.shape)
        for (members, _), (share, output) in zip(self.pieces, found, strict=True):
            row = torch.arange(most, device=start.device).clamp(max=len(share) - 1)  # the end again
            shares[:, members], outputs[:, members] = share[row], output[row]
        return shares, outputs


@dataclass
class Bend:
    """Dense output: w + J_0^T (p - q) + J_1^T q on the way."""

    start: Weights
    first: Linearisation
    last: Linearisation
    path: Path
    y: Tensor
    continuous = True

    def at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        p, late = self.path.at(share)
        return self.last.add_pullback(self.first.add_pullback(self.start, p - late), late)

    def select(self, index: Tensor) -> Bend:
        """See `simulate.integrators.protocol.DenseOutput`."""
        start = [w[index] for w in self.start]
        return replace(
            self,
            start=start,
            first=self.first.select(index),
            last=self.last.select(index),
            path=self.path.select(index),
        )

    def expected(self, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """See `simulate.integrators.protocol.DenseOutput`: as the frozen flow has it, bent to the end in proportion."""
        share, margin = self.path.margins()
        output = margin * self.y
        return share, torch.addcmul(output, share.unsqueeze(-1), end - output[-1])
