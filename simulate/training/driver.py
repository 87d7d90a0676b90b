"""Integrate the dynamics of a batch of networks: step sizes, events and finished members, each for itself.

A stepper proposes steps, a controller accepts them and sets their size (`simulate.integrators`), events are located on
the dense output of accepted steps, and what is recorded there is measured on networks with the weights of that moment.
A member that has finished leaves the batch at once, and one that waits may take its place
(`simulate.training.waiting`).

Networks of one seed with A << 1 move through the same weights until |F| is about 0.3, where the force is still constant
to 1e-6. To integrate that way once a seed was tried: 11 % less time on the narrow tasks of the quick preset, 6 % on
benchmarks.integrators (those steps form no kernel and are cheap), more where there are few amplitudes, for a second
driver. It was given up.
"""

from __future__ import annotations

import functools
import itertools
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, finite
from simulate.integrators.protocol import Batch, Controller, ControllerState, Stepper, StepProposal
from simulate.networks.linearisation import InitialWeights, Weights
from simulate.training.accepted_step import AcceptedStep
from simulate.training.event_records import record_events
from simulate.training.events import Event
from simulate.training.moment import Moment
from simulate.training.save_at import SaveAt
from simulate.training.status import Status
from simulate.training.waiting import WaitingMembers

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
        steps = torch.zeros_like(alpha, dtype=torch.int32)
        return cls(steps.to(torch.int8), torch.zeros_like(alpha, dtype=torch.float64), steps, torch.ones_like(steps))


def integrate(
    flow: GradientFlow,
    weights: Weights | InitialWeights,
    events: Sequence[Event],
    on_finish: Callable[[Moment], None],
    *,
    stepper: Stepper,
    controller: Controller,
    max_steps: int,
    time_limit: float | None = None,
    save_at: SaveAt | None = None,
    at_once: int | None = None,
) -> Result:
    """Integrate every member until a terminal event, ``max_steps``, rest, divergence or ``time_limit``.

    Parameters
    ----------
    weights : list of Tensor, or callable
        The initial weights of all members, or what returns those of the members (m,) that it is given.
    on_finish : callable
        Called with the `Moment` at which members finished, whatever their status.
    stepper, controller
        The integrator (`simulate.integrators`).
    time_limit : float, optional
        Seconds of wall-clock time after which the members in flight end with ``Status.TIME_LIMIT``.
    save_at : SaveAt, optional
        What is recorded at times fixed beforehand.
    at_once : int, optional
        How many members are in flight at most, default all: the others begin where some have finished.
    """
    started = clock.monotonic()
    result = Result.pending(flow.alpha)
    initial_weights = weights if callable(weights) else lambda members: [w[members] for w in weights]
    waiting = WaitingMembers(flow, initial_weights, at_once or len(flow.alpha), events, stepper, controller)
    batch, watch = waiting.begin()

    for count in itertools.count(1):
        batch, watch = waiting.join(batch, watch)
        if not len(batch.members):
            return result
        proposal = stepper.step(batch)
        result.evaluations[batch.members] += proposal.evaluations
        is_finite = finite(proposal.point.output, *proposal.weights)
        accepted, factor, controller_state = controller.judge(batch.controller_state, batch, proposal, is_finite)
        arrival = Moment(batch.flow, batch.members, batch.time + batch.dt, proposal.weights, proposal.point.output)

        watch_before = watch
        watch, passed = watch.advance(arrival, accepted)
        clocks = _next_clocks(batch, arrival, accepted, factor)
        at_rest = count > _SETTLED and controller.detects_rest and _is_at_rest(batch, arrival) & accepted
        status = _status_after_step(clocks, is_finite, at_rest, max_steps if count >= max_steps else None)
        host = _on_host(passed, accepted, status)

        step_of = functools.partial(AcceptedStep.from_proposal, stepper, batch, proposal)
        endings = None
        if host.passed.any():
            endings = _record_events(events, step_of, watch_before.values, watch.values, status, host)
            watch = watch.refresh_awaited()
        if save_at is not None:
            until = torch.where(accepted, arrival.time, -torch.inf)
            if endings is not None:
                until[endings.positions] = endings.moment.time
            _record_due(save_at, step_of, batch.members, until)

        rejected = _index(np.flatnonzero(~host.accepted), status)
        batch = _advance(batch, proposal, clocks, rejected, controller_state)
        if time_limit is not None and clock.monotonic() - started > time_limit:
            status = status.where(status != Status.PENDING, Status.TIME_LIMIT)
            host.status[host.status == Status.PENDING] = Status.TIME_LIMIT
        pending = host.status == Status.PENDING
        if not pending.all():
            _finish(result, batch, status, host, endings, on_finish)
            stay = _index(np.flatnonzero(pending), status)
            batch, watch = batch.select(stay), watch.select(stay)
    raise AssertionError("unreachable: the loop ends with its last member")


@dataclass
class _HostCopies:
    """All that the driver waits for in a step, in the memory of the host."""

    passed: np.ndarray  #: (m, events): which events members passed
    accepted: np.ndarray  #: (m,)
    status: np.ndarray  #: (m,)


def _on_host(passed: Tensor, accepted: Tensor, status: Tensor) -> _HostCopies:
    """Copy the three by one transfer."""
    columns = torch.cat([passed.to(torch.int8), torch.stack([accepted.to(torch.int8), status], dim=1)], dim=1)
    rows = columns.numpy(force=True)
    return _HostCopies(rows[:, :-2].astype(bool), rows[:, -2].astype(bool), rows[:, -1].copy())


def _index(positions: np.ndarray, like: Tensor) -> Tensor:
    """Return positions that the host knows on the device of ``like``."""
    return torch.as_tensor(positions, device=like.device)


@dataclass
class _Endings:
    """Members that a terminal event ended within a step: their positions in the batch, and the moment of their end."""

    positions: Tensor
    moment: Moment


def _record_events(
    events: Sequence[Event],
    step_of: Callable[[Tensor], AcceptedStep],
    low: Tensor,
    high: Tensor,
    status: Tensor,
    host: _HostCopies,
) -> _Endings | None:
    """Record the events that members passed; those that a terminal one ended become converged in ``status``.

    ``step_of`` returns the step of the members at some positions, ``low`` and ``high`` (m, events) are the event
    functions at its two ends. The status on the host changes as well.
    """
    passing = np.flatnonzero(host.passed.any(axis=-1))
    index = _index(passing, status)
    ended, moment = record_events(events, step_of(index), low[index], high[index], host.passed[passing])
    if moment is None:
        return None
    positions = index[ended]
    status[positions] = Status.CONVERGED
    host.status[passing[ended]] = Status.CONVERGED
    return _Endings(positions, moment)


def _record_due(save_at: SaveAt, step_of: Callable[[Tensor], AcceptedStep], members: Tensor, until: Tensor) -> None:
    """Record the checkpoints that members pass by the times ``until`` (m,)."""
    due = torch.nonzero(save_at.due(members, until)).squeeze(-1)
    if len(due):
        save_at.record_due(step_of(due), until[due])


def _finish(
    result: Result,
    batch: Batch,
    status: Tensor,
    host: _HostCopies,
    endings: _Endings | None,
    on_finish: Callable[[Moment], None],
) -> None:
    """Put members that are no longer pending into the result; call ``on_finish`` with the moments of their ends."""
    finished = host.status != Status.PENDING
    done = _index(np.flatnonzero(finished), status)
    result.status[batch.members[done]] = status[done]
    result.steps[batch.members[done]] = batch.steps[done]
    not_converged = _index(np.flatnonzero(finished & (host.status != Status.CONVERGED)), status)
    for last in (None if endings is None else endings.moment, Moment.now(batch).select(not_converged)):
        if last is not None and len(last.members):
            result.time_end[last.members] = last.time
            on_finish(last)


@dataclass
class _Clocks:
    """Time, next dt and number of accepted steps of each member after a step, (m,) each."""

    time: Tensor
    dt: Tensor
    steps: Tensor


def _next_clocks(batch: Batch, arrival: Moment, accepted: Tensor, factor: Tensor) -> _Clocks:
    time = torch.where(accepted, arrival.time, batch.time)
    return _Clocks(time, batch.dt * factor, batch.steps + accepted)


def _advance(
    batch: Batch,
    proposal: StepProposal,
    clocks: _Clocks,
    rejected: Tensor,
    controller_state: ControllerState,
) -> Batch:
    """Return the batch after a step; members at the positions ``rejected`` stay where they are."""
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
        time=clocks.time,
        dt=clocks.dt,
        steps=clocks.steps,
    )


def _is_at_rest(batch: Batch, arrival: Moment) -> Tensor:
    """Return which members no longer move: how much the mean loss changes while time doubles is nothing to it.

    By the rate of the last step, t |dF · l'|/(n dt).
    """
    # not its sign: the error of a step may raise the loss of a network that is far from rest
    change = (batch.point.force * (arrival.output - batch.point.output)).sum(-1).abs()
    change = arrival.time / batch.dt * batch.flow.alpha * change
    return (batch.steps >= _SETTLED) & (change < _REST * batch.flow.mean_loss(arrival.output))


def _status_after_step(clocks: _Clocks, is_finite: Tensor, at_rest: Tensor | bool, max_steps: int | None) -> Tensor:
    """Return the status of members that can't go on, ``PENDING`` of the others, shape (m,).

    One reason excludes the next: a step size below the resolution of time (diverged where the proposed step was not
    finite, else stalled), rest, ``max_steps`` (None where nobody can have taken so many).
    """
    status = torch.full_like(clocks.steps, Status.PENDING, dtype=torch.int8)
    if max_steps is not None:
        status = status.masked_fill(clocks.steps >= max_steps, Status.MAX_STEPS)
    if isinstance(at_rest, Tensor):
        status = status.masked_fill(at_rest, Status.STALLED)
    resolution = 64 * torch.finfo(clocks.time.dtype).eps * clocks.time
    stuck = ~((clocks.dt > resolution) & (clocks.dt < torch.inf))
    return torch.where(stuck, torch.where(is_finite, Status.STALLED, Status.DIVERGED).to(torch.int8), status)
