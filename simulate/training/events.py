"""Events on the way of a member: what is looked for, and where on a step's dense output it happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.integrators.protocol import Batch, DenseOutput, Stepper, StepProposal
from simulate.networks.linearisation import Weights

_LOOKS = 50  # at most, on the way to an event: in practice a few
_EXPECTED_LOOKS = 3  # the first ones


@dataclass
class Moment:
    """Members at an instant of their own: what events look at.

    ``members`` (m,) are positions in the batch that was handed in, ``flow`` is theirs, ``time`` (m,) is article time,
    in float64; ``known`` is `output`, if it is known before it is asked for.
    """

    flow: GradientFlow
    members: Tensor
    time: Tensor
    weights: Weights
    known: Tensor | None = None

    @property
    def output(self) -> Tensor:
        """F on the training set, shape (m, n_train)."""
        if self.known is None:
            self.known = self.flow.predictor(self.flow.network.output(self.weights, self.flow.inputs))
        return self.known

    def select(self, index: Tensor) -> Moment:
        """Return the members at positions ``index``."""
        known = None if self.known is None else self.known[index]
        weights = [w[index] for w in self.weights]
        return Moment(self.flow.select(index), self.members[index], self.time[index], weights, known)


class Event(Protocol):
    """Something that happens once on a member's way, when ``value`` reaches zero from below.

    ``tolerance`` is how far above zero ``value`` may be where the event is placed. The ``terminal`` event, one at most,
    ends the member; the others are recorded if they came before that.
    """

    tolerance: float
    terminal: bool

    @property
    def value_from_output(self) -> Callable[[Tensor], Tensor] | None:
        """What ``value`` makes of F on the training set (..., m, n_train), where it looks at nothing else."""

    def value(self, moment: Moment) -> Tensor:
        """Return the event function of these members, shape (m,)."""

    def record(self, moment: Moment) -> None:
        """Take note of members at their event (not called for terminal events: the members leave)."""


@dataclass
class AcceptedStep:
    """An accepted step, to be looked at between its ends; ``ends`` are F on the training set there, (m, n_train)."""

    flow: GradientFlow
    members: Tensor
    time: Tensor
    dt: Tensor
    ends: tuple[Tensor, Tensor]
    dense_output: DenseOutput
    last: tuple[Tensor, Moment] | None = None  # looked at

    @classmethod
    def of(cls, stepper: Stepper, batch: Batch, proposal: StepProposal, index: Tensor) -> AcceptedStep:
        """The step ``proposal`` of the members at positions ``index`` of ``batch``."""
        dense_output, flow = stepper.dense_output(batch, proposal, index), batch.flow.select(index)
        ends = batch.point.output[index], proposal.point.output[index]
        return cls(flow, batch.members[index], batch.time[index], batch.dt[index], ends, dense_output)

    def at(self, share: Tensor) -> Moment:
        """The members at the shares ``share`` (m,) of their steps."""
        if not self.dense_output.continuous:
            share = torch.ones_like(share)
        if self.last is None or not torch.equal(self.last[0], share):
            weights = self.dense_output.at(share)
            self.last = share, Moment(self.flow, self.members, self.time + share * self.dt, weights)
        return self.last[1]

    def select(self, index: Tensor) -> AcceptedStep:
        """The members at positions ``index``."""
        start, end = self.ends
        flow, ends = self.flow.select(index), (start[index], end[index])
        return AcceptedStep(
            flow, self.members[index], self.time[index], self.dt[index], ends, self.dense_output.select(index)
        )


def pass_events(
    events: Sequence[Event], step: AcceptedStep, low: Tensor, high: Tensor, passed: Tensor
) -> tuple[Tensor, Moment | None]:
    """Record the events that members passed; return which of them ended, and the moment at which they did.

    ``low``, ``high`` (m, events) are the event functions at the two ends of the steps.
    """
    share_end = torch.full_like(low[:, 0], torch.inf)
    ended, end = torch.nonzero(passed[:, 0]).squeeze(-1)[:0], None
    # the terminal event first: what would come after the end has not happened
    for k, event in sorted(enumerate(events), key=lambda numbered: not numbered[1].terminal):
        index = torch.nonzero(passed[:, k]).squeeze(-1)
        if len(index) == 0:
            continue
        part = step.select(index)
        share = _locate(event, part, low[index, k], high[index, k])
        if event.terminal:
            share_end[index] = share
            ended, end = index, part.at(share)
        else:
            before = torch.nonzero(share <= share_end[index]).squeeze(-1)
            event.record(part.at(share).select(before))
    return ended, end


def _locate(event: Event, step: AcceptedStep, low: Tensor, high: Tensor) -> Tensor:
    """The share of the step at which ``event`` is between zero and its tolerance.

    By what the step expects of the outputs, corrected by what is seen there; else by false position (Illinois).
    """
    goal = 0.5 * event.tolerance
    left, right, found = torch.zeros_like(low), torch.ones_like(low), high
    if not step.dense_output.continuous:
        return right
    low, high = low - goal, high - goal
    last = torch.zeros_like(low)  # which end moved last: -1 left, 1 right
    expected = None
    if event.value_from_output is not None:
        shares, outputs = step.dense_output.expected(*step.ends)
        expected = shares, event.value_from_output(outputs) - goal
    missed = torch.zeros_like(low)  # by the expectation, where it was looked at last
    for look in range(_LOOKS):
        active = found > event.tolerance
        if not active.any():
            break
        chord = (-low / (high - low)).nan_to_num(0.5).clamp(0.02, 0.98)
        share = left + chord * (right - left)
        if expected is not None and look < _EXPECTED_LOOKS:
            guess = _crossing(*expected, missed)
            inside = (left < guess) & (guess < right)
            share = torch.where(inside, guess, share)
            missed = missed.where(inside, torch.nan)  # no longer known
        share = torch.where(active, share, right)
        value = event.value(step.at(share))
        missed = missed + (value - goal)
        above = active & (value >= 0.0)
        below = active & ~above
        # an end that stays twice counts half, so that the other one passes the root
        low = torch.where(below, value - goal, torch.where(above & (last > 0), 0.5 * low, low))
        high = torch.where(above, value - goal, torch.where(below & (last < 0), 0.5 * high, high))
        last = above.to(low.dtype) - below.to(low.dtype)
        left, right = torch.where(below, share, left), torch.where(above, share, right)
        found = torch.where(above, value, found)
    return right


def _crossing(shares: Tensor, values: Tensor, missed: Tensor) -> Tensor:
    """Where ``values`` (k, m) + ``missed`` (m,), linear between ``shares`` (k, m), reach zero first; NaN if nowhere."""
    values = values + missed
    above, members = values >= 0.0, torch.arange(values.shape[1], device=values.device)
    k = above.to(torch.uint8).argmax(dim=0)
    before, after = values[k - 1, members], values[k, members]
    share = torch.lerp(shares[k - 1, members], shares[k, members], before / (before - after))
    return share.where((k > 0) & above.any(dim=0), torch.nan)
