"""Integrate the dynamics of a batch of networks: step sizes, events and finished members, each for itself.

A stepper proposes steps, a controller accepts them and sets their size (`simulate.integrators`), events are located on
the dense output of accepted steps, and what is recorded there is measured on networks with the weights of that moment.
A member that has finished leaves the batch at once.

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
from simulate.integrators.protocol import Batch, Controller, ControllerState, Stepper, StepProposal
from simulate.networks.linearisation import Weights
from simulate.training.accepted_step import AcceptedStep
from simulate.training.event_records import record_events
from simulate.training.events import Event, EventWatch
from simulate.training.moment import Moment
from simulate.training.save_at import SaveAt
from simulate.training.status import Status

_SETTLED = 20  # steps, before it is asked whether a member is at rest
_REST = 1e-10  # the loss falls by less than this, relative to itself, while time doubles: the flow has come to rest


@dataclass
class Result:
    """What became of each member (all of shape (members,), in the order handed in); ``time_end`` is article time."""

    status: Tensor
    time_end: Tensor
    steps: Tensor
    evaluations: Tensor

    @classmethod
    def pending(cls, alpha: Tensor) -> Result:
        """Return it before the first step; one evaluation, at the start, is done."""
        whole = torch.zeros_like(alpha, dtype=torch.int32)
        return cls(whole.to(torch.int8), torch.zeros_like(alpha, dtype=torch.float64), whole, torch.ones_like(whole))


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
    """Integrate every member until a terminal event, ``max_steps``, rest, divergence or ``time_limit``.

    Parameters
    ----------
    on_finish : callable
        Called with the `Moment` at which members finished, whatever their status.
    stepper, controller
        The integrator (`simulate.integrators`).
    time_limit : float, optional
        Seconds of wall-clock time after which the members in flight end with ``Status.TIME_LIMIT``.
    save_at : SaveAt, optional
        What is recorded at times fixed beforehand.
    """
    started = clock.monotonic()
    result = Result.pending(flow.alpha)
    batch = _start(flow, weights, stepper, controller)
    watch = EventWatch.start(events, Moment.now(batch))

    while len(batch.members):
        proposal = stepper.step(batch)
        result.evaluations[batch.members] += proposal.evaluations
        is_finite = finite(proposal.point.output, *proposal.weights)
        accepted, factor, controller_state = controller.judge(batch.controller_state, batch, proposal, is_finite)
        arrival = Moment(batch.flow, batch.members, batch.time + batch.dt, proposal.weights, proposal.point.output)

        watch_before = watch
        watch, passed = watch.advance(arrival, accepted)
        passing = torch.nonzero(passed.any(dim=-1)).squeeze(-1)
        ended, endings = passing[:0], None
        if len(passing):
            step = AcceptedStep.from_proposal(stepper, batch, proposal, passing)
            values = watch_before.values[passing], watch.values[passing]
            positions, endings = record_events(events, step, *values, passed[passing])
            ended = passing[positions]

        if save_at is not None:
            until = torch.where(accepted, arrival.time, -torch.inf)
            if endings is not None:
                until[ended] = endings.time
            due = torch.nonzero(save_at.due(batch.members, until)).squeeze(-1)
            if len(due):
                save_at.record_due(AcceptedStep.from_proposal(stepper, batch, proposal, due), until[due])

        at_rest = accepted & controller.detects_rest & _is_at_rest(batch, arrival)
        batch = _advance(batch, proposal, arrival.time, accepted, factor, controller_state)
        out_of_time = time_limit is not None and clock.monotonic() - started > time_limit
        status = _statuses(batch, ended, is_finite, at_rest, max_steps, out_of_time=out_of_time)
        done = status != Status.PENDING
        if done.any():
            result.status[batch.members[done]] = status[done]
            result.steps[batch.members[done]] = batch.steps[done]
            unfinished = torch.nonzero(done & (status != Status.CONVERGED)).squeeze(-1)
            for last in (endings, Moment.now(batch).select(unfinished)):
                if last is not None and len(last.members):
                    result.time_end[last.members] = last.time
                    on_finish(last)
            stay = torch.nonzero(~done).squeeze(-1)
            batch, watch = batch.select(stay), watch.select(stay)
    return result


def _start(flow: GradientFlow, weights: Weights, stepper: Stepper, controller: Controller) -> Batch:
    """Return the batch of all members before the first step."""
    members = torch.arange(len(flow.alpha), device=flow.alpha.device)
    # small amplitudes wait long, then move in steps that float32 could not add to their time
    time = torch.zeros_like(flow.alpha, dtype=torch.float64)
    point = flow(weights)
    dt = controller.first_step(flow, point)
    steps = torch.zeros_like(members, dtype=torch.int32)
    state, controller_state = stepper.init(flow, weights, point), controller.init(dt)
    return Batch(members, flow, weights, point, time, dt, steps, state, controller_state)


def _advance(
    batch: Batch,
    proposal: StepProposal,
    time: Tensor,
    accepted: Tensor,
    factor: Tensor,
    controller_state: ControllerState,
) -> Batch:
    """Return the batch after a step to ``time`` (m,): rejected members stay where they are; all get their next dt."""
    rejected = torch.nonzero(~accepted).squeeze(-1)
    if len(rejected):
        pairs = zip((*proposal.weights, *proposal.state), (*batch.weights, *batch.state), strict=True)
        for new, old in pairs:
            new[rejected] = old[rejected]
        proposal.point.put(rejected, batch.point.select(rejected))
    return replace(
        batch,
        weights=proposal.weights,
        point=proposal.point,
        state=proposal.state,
        controller_state=controller_state,
        time=torch.where(accepted, time, batch.time),
        dt=batch.dt * factor,
        steps=batch.steps + accepted.to(torch.int32),
    )


def _is_at_rest(batch: Batch, arrival: Moment) -> Tensor:
    """Return which members no longer move: how much the mean loss changes while time doubles is nothing to it.

    By the rate of the last step, t |dF · l'|/(n dt).
    """
    # not its sign: the error of a step may raise the loss of a network that is far from rest
    change = (batch.point.force * (arrival.output - batch.point.output)).sum(-1).abs()
    change = arrival.time / batch.dt * batch.flow.alpha * change
    return (batch.steps >= _SETTLED) & (change < _REST * batch.flow.mean_loss(arrival.output))


def _statuses(
    batch: Batch, ended: Tensor, is_finite: Tensor, at_rest: Tensor, max_steps: int, *, out_of_time: bool
) -> Tensor:
    """Return the status of each member after a step, in the order in which one reason excludes the next.

    Members at the positions ``ended`` met their terminal event. ``is_finite`` is whether the proposed step was finite.
    """
    status = torch.full_like(batch.steps, Status.PENDING, dtype=torch.int8)
    status[ended] = Status.CONVERGED
    pending = status == Status.PENDING
    resolution = 64 * torch.finfo(batch.time.dtype).eps * batch.time
    stuck = pending & ((batch.dt <= resolution) | ~torch.isfinite(batch.dt))
    status[stuck & ~is_finite] = Status.DIVERGED
    status[(stuck & is_finite) | (pending & at_rest)] = Status.STALLED
    status[(status == Status.PENDING) & (batch.steps >= max_steps)] = Status.MAX_STEPS
    if out_of_time:
        status[status == Status.PENDING] = Status.TIME_LIMIT
    return status
