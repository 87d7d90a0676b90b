"""Integrate the dynamics of a batch of networks: step sizes, events and finished members, each for itself.

The driver of `simulate.integrators`: a stepper tries steps, a controller accepts them and sets their size, events are
looked for on the dense output of accepted steps, and what is recorded there is measured on networks with the weights of
that moment. A member that has finished leaves the batch at once.

Networks of one seed with A << 1 move through the same weights until |F| is about 0.3, where the force is still constant
to 1e-6. To integrate that way once a seed was tried: 11 % less time on the narrow tasks of the quick preset, 6 % on
benchmarks.integrators (those steps form no kernel and are cheap), more where there are few amplitudes, for a second
driver. It was given up.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, finite
from simulate.integrators.protocol import Batch, Controller, Stepper
from simulate.networks.linearisation import Weights
from simulate.training.events import AcceptedStep, Event, Moment, pass_events
from simulate.training.save_at import SaveAt
from simulate.training.status import Status

_SETTLED = 20  # steps, before it is asked whether a member is at rest
_REST = 1e-10  # the loss falls by less than this, relative to itself, while time doubles: the flow has come to rest


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
    on_finish: Callable[[Moment], None],
    *,
    stepper: Stepper,
    controller: Controller,
    max_steps: int,
    time_limit: float | None = None,
    save_at: SaveAt | None = None,
) -> Result:
    """Follow every member until a terminal event, ``max_steps``, rest, divergence or ``time_limit``.

    Parameters
    ----------
    on_finish : callable
        Called with the `Moment` at which members finished, whatever their status.
    stepper, controller
        The integrator (`simulate.integrators`).
    time_limit : float, optional
        Seconds of wall-clock time after which the members in flight end with ``Status.TIME_LIMIT``.
    save_at : SaveAt, optional
        What is looked at at times fixed beforehand.
    """
    device, m = flow.alpha.device, len(flow.alpha)
    # small amplitudes wait long, then move in steps that float32 could not add to their time
    start = torch.zeros(m, dtype=torch.float64, device=device)
    result = Result(
        torch.zeros(m, dtype=torch.int8, device=device),
        start.clone(),
        torch.zeros(m, dtype=torch.int32, device=device),
        torch.ones(m, dtype=torch.int32, device=device),
    )
    point = flow(weights)
    batch = Batch(
        torch.arange(m, device=device),
        flow,
        weights,
        point,
        start,
        controller.first_step(flow, point),
        torch.zeros(m, dtype=torch.int32, device=device),
        stepper.init(flow, weights, point),
    )
    heights = torch.stack([event.value(_moment(batch)) for event in events], dim=-1)
    ahead = torch.ones_like(heights, dtype=torch.bool)
    started = clock.monotonic()

    while len(batch.members):
        proposal = stepper.step(batch)
        result.evaluations[batch.members] += proposal.evaluations
        output = proposal.point.output
        sound = finite(output, *proposal.weights)
        accept, factor = controller.judge(batch, proposal, sound)

        arrival = Moment(batch.flow, batch.members, batch.time + batch.dt, proposal.weights, output)
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
            step = AcceptedStep.of(stepper, batch, proposal, passing)
            ends, endings = pass_events(events, step, heights[passing], new_heights[passing], passed[passing])
            ended = passing[ends]

        if save_at is not None:
            until = torch.where(accept, arrival.time, -torch.inf)
            if endings is not None:
                until[ended] = endings.time
            due = torch.nonzero(save_at.due(batch.members, until)).squeeze(-1)
            if len(due):
                save_at.look(AcceptedStep.of(stepper, batch, proposal, due), until[due])

        rest = (
            accept
            & controller.rests
            & (batch.steps >= _SETTLED)
            & (_drift(batch, arrival) < _REST * flow.mean_loss(output))
        )
        rejected = torch.nonzero(~accept).squeeze(-1)
        if len(rejected):
            kept = zip((*proposal.weights, *proposal.state), (*batch.weights, *batch.state), strict=True)
            for new, old in kept:
                new[rejected] = old[rejected]
            proposal.point.put(rejected, batch.point.select(rejected))
        heights = new_heights
        batch = replace(
            batch,
            weights=proposal.weights,
            point=proposal.point,
            state=proposal.state,
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
            for last in (endings, _moment(batch).select(unfinished)):
                if last is not None and len(last.members):
                    result.time_end[last.members] = last.time
                    on_finish(last)
            stay = torch.nonzero(~done).squeeze(-1)
            batch, heights, ahead = batch.select(stay), heights[stay], ahead[stay]
    return result


def _moment(batch: Batch) -> Moment:
    return Moment(batch.flow, batch.members, batch.time, batch.weights, batch.point.output)


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
