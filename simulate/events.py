"""Events on the way of a member: what is looked for, and where on a step's dense output it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from simulate.flow import GradientFlow
from simulate.integrators.protocol import Batch, Segment, Stepper, Trial
from simulate.networks.architecture import Weights

_LOOKS = 50  # at most, on the way to an event: the bracket shrinks by a tenth at least, in practice by ten


@dataclass
class Moment:
    """Members at an instant of their own: what events look at.

    ``members`` (m,) are positions in the batch that was handed in, ``time`` (m,) is article time, in float64,
    ``output`` (m, n_train) is F on the training set.
    """

    members: Tensor
    time: Tensor
    weights: Weights
    output: Tensor

    def select(self, index: Tensor) -> Moment:
        """Return the members at positions ``index``."""
        return Moment(self.members[index], self.time[index], [w[index] for w in self.weights], self.output[index])


class Event(Protocol):
    """Something that happens once on a member's way, when ``value`` reaches zero from below.

    ``tolerance`` is how far above zero ``value`` may be where the event is placed. A ``terminal`` event ends the
    member; the others are recorded if they came before that.
    """

    tolerance: float
    terminal: bool

    def value(self, moment: Moment) -> Tensor:
        """Return the event function of these members, shape (m,)."""

    def record(self, moment: Moment) -> None:
        """Take note of members at their event (not called for terminal events: the members leave)."""


@dataclass
class Stretch:
    """An accepted step, to be looked at between its ends."""

    flow: GradientFlow
    members: Tensor
    time: Tensor
    dt: Tensor
    segment: Segment

    @classmethod
    def of(cls, stepper: Stepper, batch: Batch, trial: Trial, index: Tensor) -> Stretch:
        """The step ``trial`` of the members at positions ``index`` of ``batch``."""
        segment = stepper.segment(batch, trial, index)
        return cls(batch.flow.select(index), batch.members[index], batch.time[index], batch.dt[index], segment)

    def at(self, share: Tensor) -> Moment:
        """The members at the shares ``share`` (m,) of their steps."""
        if not self.segment.continuous:
            share = torch.ones_like(share)
        weights = self.segment.at(share)
        output = self.flow.predictor(self.flow.network.output(weights, self.flow.inputs))
        return Moment(self.members, self.time + share * self.dt, weights, output)

    def select(self, index: Tensor) -> Stretch:
        """The members at positions ``index``."""
        flow = self.flow.select(index)
        return Stretch(flow, self.members[index], self.time[index], self.dt[index], self.segment.select(index))


def pass_events(
    events: Sequence[Event], stretch: Stretch, low: Tensor, high: Tensor, passed: Tensor
) -> tuple[Tensor, Moment | None]:
    """Record the events that members passed; return which of them ended, and the moment at which they did.

    ``low``, ``high`` (m, events) are the event functions at the two ends of the steps.
    """
    share_end = torch.full_like(low[:, 0], torch.inf)
    # terminal events first: what would come after the end has not happened
    for k, event in sorted(enumerate(events), key=lambda numbered: not numbered[1].terminal):
        index = torch.nonzero(passed[:, k]).squeeze(-1)
        if len(index) == 0:
            continue
        part = stretch.select(index)
        share = _locate(event, part, low[index, k], high[index, k])
        if event.terminal:
            share_end[index] = torch.minimum(share_end[index], share)
        else:
            before = torch.nonzero(share <= share_end[index]).squeeze(-1)
            event.record(part.at(share).select(before))
    ends = torch.nonzero(share_end <= 1.0).squeeze(-1)
    return ends, stretch.select(ends).at(share_end[ends]) if len(ends) else None


def _locate(event: Event, stretch: Stretch, low: Tensor, high: Tensor) -> Tensor:
    """The share of the step at which ``event`` is between zero and its tolerance: false position (Illinois)."""
    goal = 0.5 * event.tolerance
    left, right, found = torch.zeros_like(low), torch.ones_like(low), high
    if not stretch.segment.continuous:
        return right
    low, high = low - goal, high - goal
    last = torch.zeros_like(low)  # which end moved last: -1 left, 1 right
    for _ in range(_LOOKS):
        active = found > event.tolerance
        if not active.any():
            break
        chord = (-low / (high - low)).nan_to_num(0.5).clamp(0.02, 0.98)
        share = torch.where(active, left + chord * (right - left), right)
        value = event.value(stretch.at(share))
        above = active & (value >= 0.0)
        below = active & ~above
        # an end that stays twice counts half, so that the other one passes the root
        low = torch.where(below, value - goal, torch.where(above & (last > 0), 0.5 * low, low))
        high = torch.where(above, value - goal, torch.where(below & (last < 0), 0.5 * high, high))
        last = above.to(low.dtype) - below.to(low.dtype)
        left, right = torch.where(below, share, left), torch.where(above, share, right)
        found = torch.where(above, value, found)
    return right
