"""Integrate gradient flow for a batch of networks: step sizes, events and finished members, each for itself.

Every member has its own time and step size. A step is accepted when the error of its predictor on the training set
is small; a step that would jump over an event is shortened until it lands on it, so what is recorded at an event is
the state of the integrator itself and not of an interpolant. A member that has finished leaves the batch at once.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from simulate.flow import GradientFlow, Point, finite
from simulate.fully_connected import Weights
from simulate.rosenbrock import EVALUATIONS_PER_STEP, ORDER, step, tangent_kernel
from simulate.schema import Status

_SAFETY = 0.85
_SHRINK, _GROW = 0.2, 4.0
_REST = 1e-10  # the loss falls by less than this, relative to itself, while time doubles: the flow has come to rest
_FIRST_STEP = 0.05  # of the time in which F would reach its natural scale at its initial rate


@dataclass
class Batch:
    """The members still in flight, at their own times.

    ``members`` (m,) are their positions in the batch that was handed in; ``time``, ``dt`` (m,) article time.
    """

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


class Event(Protocol):
    """Something that happens once on a member's way, when ``value`` reaches zero from below.

    ``tolerance`` is how far above zero ``value`` may be when the step lands. ``terminal`` events end the member.
    """

    tolerance: float
    terminal: bool

    def value(self, members: Tensor, time: Tensor, weights: Weights, point: Point) -> Tensor:
        """Return the event function of these members, shape (m,)."""

    def record(self, batch: Batch) -> None:
        """Take note of members that have just landed on the event."""


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
        Called with a `Batch` of members that have just finished, whatever their status, and their statuses.
    time_limit : float, optional
        Seconds of wall-clock time after which the members in flight end with ``Status.TIME_LIMIT``.
    """
    device, dtype = flow.x.device, flow.x.dtype
    m = len(flow.alpha)
    result = Result(
        torch.zeros(m, dtype=torch.int8, device=device),
        torch.zeros(m, dtype=dtype, device=device),
        torch.zeros(m, dtype=torch.int32, device=device),
        torch.ones(m, dtype=torch.int32, device=device),
    )
    point = flow(weights)
    theta = tangent_kernel(point)
    rate = flow.alpha * torch.bmm(theta, point.force.unsqueeze(-1)).squeeze(-1).square().mean(-1).sqrt()
    batch = Batch(
        torch.arange(m, device=device),
        flow,
        weights,
        point,
        torch.zeros(m, dtype=dtype, device=device),
        _FIRST_STEP * natural_scale / rate,
        torch.zeros(m, dtype=torch.int32, device=device),
    )
    heights = torch.stack([e.value(batch.members, batch.time, weights, point) for e in events], dim=-1)
    ahead = torch.ones_like(heights, dtype=torch.bool)
    started = clock.monotonic()

    while len(batch.members):
        rest = (batch.steps > 20) & (_decline(batch, theta) < _REST * batch.flow.mean_loss(batch.point.output))
        trial = step(batch.flow, batch.weights, batch.point, theta, batch.dt)
        result.evaluations[batch.members] += EVALUATIONS_PER_STEP
        output = trial.point.output
        size = natural_scale[batch.members] + output.square().mean(-1).sqrt()
        error = trial.error.square().mean(-1).sqrt() / (tolerance * size)
        sound = finite(output, *trial.weights)
        accept = sound & (error <= 1.0)
        factor = torch.where(sound, (_SAFETY * error.clamp_min(1e-12) ** (-1.0 / ORDER)).clamp(_SHRINK, _GROW), _SHRINK)

        new_time = batch.time + batch.dt
        new_heights = heights.clone()
        for k, event in enumerate(events):
            wanted = torch.nonzero(accept & ahead[:, k]).squeeze(-1)
            if len(wanted) == 0:
                continue
            if len(wanted) == len(batch.members):
                new_heights[:, k] = event.value(batch.members, new_time, trial.weights, trial.point)
            else:
                new_heights[wanted, k] = event.value(
                    batch.members[wanted],
                    new_time[wanted],
                    [w[wanted] for w in trial.weights],
                    trial.point.select(wanted),
                )
        tolerances = torch.tensor([e.tolerance for e in events], dtype=dtype, device=device)
        climb = new_heights - heights
        overshot = ahead & (new_heights > tolerances) & accept.unsqueeze(-1)
        # the chord's crossing; a step that lands from far above zero is tried again
        share = ((0.5 * tolerances - heights) / climb).where(overshot, torch.inf).amin(dim=-1)
        jumped = overshot.any(dim=-1)
        accept &= ~jumped
        dt_next = batch.dt * torch.where(jumped, share.clamp(0.01, 0.98), factor)
        # do not run into an event that the last step shows coming
        slope = climb / batch.dt.unsqueeze(-1)
        coming = ((0.5 * tolerances - new_heights) / slope).where(
            ahead & (slope > 0) & (new_heights < 0) & accept.unsqueeze(-1), torch.inf
        )
        dt_next = torch.minimum(dt_next, coming.amin(dim=-1))

        rejected = torch.nonzero(~accept).squeeze(-1)
        if len(rejected):
            for new, old in zip(trial.weights, batch.weights, strict=True):
                new[rejected] = old[rejected]
            trial.point.put(rejected, batch.point)
        heights = torch.where(accept.unsqueeze(-1), new_heights, heights)
        batch = Batch(
            batch.members,
            batch.flow,
            trial.weights,
            trial.point,
            torch.where(accept, new_time, batch.time),
            dt_next,
            batch.steps + accept.to(torch.int32),
        )

        landed = ahead & (heights >= 0.0) & accept.unsqueeze(-1)
        ahead &= ~landed
        status = torch.zeros(len(batch.members), dtype=torch.int8, device=device)
        for k, event in enumerate(events):
            index = torch.nonzero(landed[:, k]).squeeze(-1)
            if len(index) == 0:
                continue
            event.record(batch.select(index))
            if event.terminal:
                status[index] = Status.CONVERGED
        status = _other_endings(batch, status, sound, rest, max_steps)
        if time_limit is not None and clock.monotonic() - started > time_limit:
            status[status == Status.PENDING] = Status.TIME_LIMIT

        done = torch.nonzero(status != Status.PENDING).squeeze(-1)
        if len(done):
            leaving = batch.select(done)
            result.status[leaving.members] = status[done]
            result.time_end[leaving.members] = leaving.time
            result.steps[leaving.members] = leaving.steps
            on_finish(leaving)
            stay = torch.nonzero(status == Status.PENDING).squeeze(-1)
            batch, heights, ahead = batch.select(stay), heights[stay], ahead[stay]
        if len(batch.members):
            theta = tangent_kernel(batch.point)
    return result


def _decline(batch: Batch, theta: Tensor) -> Tensor:
    """t·|d mean l/dt| = t alpha² c^T Theta c: how much the mean loss falls while time doubles."""
    force = batch.point.force
    square = (force * torch.bmm(theta, force.unsqueeze(-1)).squeeze(-1)).sum(-1)
    return batch.time * batch.flow.alpha.square() * square


def _other_endings(batch: Batch, status: Tensor, sound: Tensor, rest: Tensor, max_steps: int) -> Tensor:
    """Mark members that can't go on, in the order in which one reason excludes the next."""
    open_ = status == Status.PENDING
    resolution = 64 * torch.finfo(batch.time.dtype).eps * batch.time
    stuck = open_ & ((batch.dt <= resolution) | ~torch.isfinite(batch.dt))
    status[stuck & ~sound] = Status.DIVERGED
    status[(stuck & sound) | (open_ & rest)] = Status.STALLED
    status[(status == Status.PENDING) & (batch.steps >= max_steps)] = Status.MAX_STEPS
    return status
