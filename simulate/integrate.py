"""Integrate gradient flow for a batch of networks: step sizes, events and finished members, each for itself.

Every member has its own time and step size. A step is accepted when the error of its predictor on the training set
is small. A step that passes an event is kept; the event is looked for on the step's dense output, and what is recorded
there is measured on networks with the weights of that moment. A member that has finished leaves the batch at once.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from simulate.flow import GradientFlow, Point, finite
from simulate.fully_connected import Weights
from simulate.rosenbrock import EVALUATIONS_PER_STEP, ORDER, Trial, between, step
from simulate.schema import Status

_SAFETY = 0.85
_SHRINK, _GROW = 0.2, 4.0
_SETTLED = 20  # steps, before it is asked whether a member is at rest
_REST = 1e-10  # the loss falls by less than this, relative to itself, while time doubles: the flow has come to rest
_LOOKS = 50  # at most, on the way to an event: the bracket shrinks by a tenth at least, in practice by ten
_FIRST_STEP = 0.05  # of the time in which F would reach its natural scale at its initial rate


@dataclass
class Moment:
    """Members at an instant of their own: what events look at.

    ``members`` (m,) are positions in the batch that was handed in, ``time`` (m,) is article time, ``output`` (m,
    n_train) is F on the training set.
    """

    members: Tensor
    time: Tensor
    weights: Weights
    output: Tensor

    def select(self, index: Tensor) -> Moment:
        """Return the members at positions ``index``."""
        return Moment(self.members[index], self.time[index], [w[index] for w in self.weights], self.output[index])


@dataclass
class Batch:
    """The members still in flight, at their own times; ``time``, ``dt`` (m,) article time."""

    members: Tensor
    flow: GradientFlow
    weights: Weights
    point: Point
    time: Tensor
    dt: Tensor
    steps: Tensor

    def select(self, index: Tensor) -> Batch:
        """Return the members at positions ``index`` of this batch."""
        return Batch(
            self.members[index],
            self.flow.select(index),
            [w[index] for w in self.weights],
            self.point.select(index),
            self.time[index],
            self.dt[index],
            self.steps[index],
        )

    def moment(self) -> Moment:
        """Return what events may look at."""
        return Moment(self.members, self.time, self.weights, self.point.output)


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
class Result:
    """What became of each member (all of shape (members,), in the order handed in)."""

    status: Tensor
    time_end: Tensor
    steps: Tensor
    evaluations: Tensor


def integrate(
    flow: GradientFlow,
    weights: Weights,
    events: Sequence[Event],
    on_finish,
    *,
    natural_scale: Tensor,
    tolerance: float,
    max_steps: int,
    time_limit: float | None = None,
) -> Result:
    """Follow the flow of every member until a terminal event, ``max_steps``, rest, divergence or ``time_limit``.

    Parameters
    ----------
    natural_scale : Tensor
        (members,) size of F below which its error need not be resolved relative to F itself: a fraction of min(1, A),
        which F reaches while the networks are still linear.
    tolerance : float
        A step is accepted when the error estimate's rms_train <= tolerance · (natural_scale + rms_train|F|).
    on_finish : callable
        Called with the `Moment` at which members finished, whatever their status.
    time_limit : float, optional
        Seconds of wall-clock time after which the members in flight end with ``Status.TIME_LIMIT``.
    """
    device, dtype = flow.alpha.device, flow.alpha.dtype
    m = len(flow.alpha)
    result = Result(
        torch.zeros(m, dtype=torch.int8, device=device),
        torch.zeros(m, dtype=dtype, device=device),
        torch.zeros(m, dtype=torch.int32, device=device),
        torch.ones(m, dtype=torch.int32, device=device),
    )
    point = flow(weights)
    rate = flow.alpha * point.at.pushforward(point.at.pullback(point.force)).square().mean(-1).sqrt()
    batch = Batch(
        torch.arange(m, device=device),
        flow,
        weights,
        point,
        torch.zeros(m, dtype=dtype, device=device),
        _FIRST_STEP * natural_scale / rate,
        torch.zeros(m, dtype=torch.int32, device=device),
    )
    heights = torch.stack([event.value(batch.moment()) for event in events], dim=-1)
    ahead = torch.ones_like(heights, dtype=torch.bool)
    started = clock.monotonic()

    while len(batch.members):
        trial = step(batch.flow, batch.weights, batch.point, batch.dt)
        result.evaluations[batch.members] += EVALUATIONS_PER_STEP
        output = trial.point.output
        size = natural_scale[batch.members] + output.square().mean(-1).sqrt()
        error = trial.error.square().mean(-1).sqrt() / (tolerance * size)
        sound = finite(output, *trial.weights)
        accept = sound & (error <= 1.0)
        factor = torch.where(sound, (_SAFETY * error.clamp_min(1e-12) ** (-1.0 / ORDER)).clamp(_SHRINK, _GROW), _SHRINK)

        arrival = Moment(batch.members, batch.time + batch.dt, trial.weights, output)
        new_heights = heights.clone()
        for k, event in enumerate(events):
            wanted = torch.nonzero(accept & ahead[:, k]).squeeze(-1)
            if len(wanted):
                new_heights[wanted, k] = event.value(arrival if len(wanted) == len(accept) else arrival.select(wanted))
        passed = ahead & (new_heights >= 0.0) & accept.unsqueeze(-1)
        ahead &= ~passed
        passing = torch.nonzero(passed.any(dim=-1)).squeeze(-1)
        ended, endings = passing[:0], None
        if len(passing):
            stretch = _Stretch.of(batch, trial, passing)
            ends, endings = _pass_events(events, stretch, heights[passing], new_heights[passing], passed[passing])
            ended = passing[ends]

        rest = accept & (batch.steps >= _SETTLED) & (_drift(batch, arrival) < _REST * flow.mean_loss(output))
        rejected = torch.nonzero(~accept).squeeze(-1)
        if len(rejected):
            for new, old in zip(trial.weights, batch.weights, strict=True):
                new[rejected] = old[rejected]
            trial.point.put(rejected, batch.point)
        heights = new_heights
        batch = replace(
            batch,
            weights=trial.weights,
            point=trial.point,
            time=torch.where(accept, arrival.time, batch.time),
            dt=batch.dt * factor,
            steps=batch.steps + accept.to(torch.int32),
        )

        status = torch.zeros(len(batch.members), dtype=torch.int8, device=device)
        status[ended] = Status.CONVERGED
        status = _other_endings(batch, status, sound, rest, max_steps)
        if time_limit is not None and clock.monotonic() - started > time_limit:
            status[status == Status.PENDING] = Status.TIME_LIMIT

        done = status != Status.PENDING
        if done.any():
            result.status[batch.members[done]] = status[done]
            result.steps[batch.members[done]] = batch.steps[done]
            unfinished = torch.nonzero(done & (status != Status.CONVERGED)).squeeze(-1)
            for last in (endings, batch.moment().select(unfinished)):
                if last is not None and len(last.members):
                    result.time_end[last.members] = last.time
                    on_finish(last)
            stay = torch.nonzero(~done).squeeze(-1)
            batch, heights, ahead = batch.select(stay), heights[stay], ahead[stay]
    return result


@dataclass
class _Stretch:
    """An accepted step, to be looked at between its ends."""

    flow: GradientFlow
    members: Tensor
    time: Tensor
    dt: Tensor
    weights: tuple[Weights, Weights, Weights]  # at the start, of first order, at the end

    @classmethod
    def of(cls, batch: Batch, trial: Trial, index: Tensor) -> _Stretch:
        """The step ``trial`` of the members at positions ``index`` of ``batch``."""
        start = [w[index] for w in batch.weights]
        stage = batch.point.at.select(index).add_pullback(start, trial.first_order[index])
        weights = start, stage, [w[index] for w in trial.weights]
        return cls(batch.flow.select(index), batch.members[index], batch.time[index], batch.dt[index], weights)

    def at(self, share: Tensor) -> Moment:
        """The members at the shares ``share`` (m,) of their steps."""
        weights = between(*self.weights, share)
        output = self.flow.predictor(self.flow.network.output(weights, self.flow.inputs))
        return Moment(self.members, self.time + share * self.dt, weights, output)

    def select(self, index: Tensor) -> _Stretch:
        start, stage, end = ([w[index] for w in weights] for weights in self.weights)
        flow = self.flow.select(index)
        return _Stretch(flow, self.members[index], self.time[index], self.dt[index], (start, stage, end))


def _pass_events(
    events: Sequence[Event], stretch: _Stretch, low: Tensor, high: Tensor, passed: Tensor
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


def _locate(event: Event, stretch: _Stretch, low: Tensor, high: Tensor) -> Tensor:
    """The share of the step at which ``event`` is between zero and its tolerance: false position (Illinois)."""
    goal = 0.5 * event.tolerance
    left, right, found = torch.zeros_like(low), torch.ones_like(low), high
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


def _drift(batch: Batch, arrival: Moment) -> Tensor:
    """How much the mean loss changes while time doubles, at the rate of the last step: t |dF · l'|/(n dt)."""
    # not its sign: the error of a step may raise the loss of a network that is far from rest
    change = (batch.point.force * (arrival.output - batch.point.output)).sum(-1).abs()
    return arrival.time / batch.dt * batch.flow.alpha * change


def _other_endings(batch: Batch, status: Tensor, sound: Tensor, rest: Tensor, max_steps: int) -> Tensor:
    """Mark members that can't go on, in the order in which one reason excludes the next."""
    open_ = status == Status.PENDING
    resolution = 64 * torch.finfo(batch.time.dtype).eps * batch.time
    stuck = open_ & ((batch.dt <= resolution) | ~torch.isfinite(batch.dt))
    status[stuck & ~sound] = Status.DIVERGED
    status[(stuck & sound) | (open_ & rest)] = Status.STALLED
    status[(status == Status.PENDING) & (batch.steps >= max_steps)] = Status.MAX_STEPS
    return status
