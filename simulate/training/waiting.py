"""Members that have not begun: they take the places of those that have finished.

Members take different numbers of steps, and on a GPU a step of few takes nearly as long as one of many. A batch that
drains spends its last steps on a few members; one that takes in others as places become free keeps its size until
nobody waits (`simulate.measure.batching` has what that saves).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.integrators.protocol import Batch, Controller, Stepper
from simulate.networks.linearisation import InitialWeights
from simulate.training.events import Event, EventWatch
from simulate.training.moment import Moment

_JOIN = 0.25  # share of the places that are free before others join: each time, all members are evaluated anew


@dataclass
class WaitingMembers:
    """The members of a ``flow``, of which so many as there are ``places`` are in flight, and ``begun`` have begun."""

    flow: GradientFlow
    initial_weights: InitialWeights
    places: int
    events: Sequence[Event]
    stepper: Stepper
    controller: Controller
    begun: int = 0

    def begin(self) -> tuple[Batch, EventWatch]:
        """Return the first members and their events, before the first step."""
        return self._begin(min(self.places, len(self.flow.alpha)))

    def join(self, batch: Batch, watch: EventWatch) -> tuple[Batch, EventWatch]:
        """Return the members in flight with those that begin now behind them, if enough places are free for that."""
        waiting, free = len(self.flow.alpha) - self.begun, self.places - len(batch.members)
        if not waiting or free < min(waiting, math.ceil(_JOIN * self.places)):
            return batch, watch
        new, new_watch = self._begin(min(waiting, free))
        if not len(batch.members):
            return new, new_watch
        members = torch.cat([batch.members, new.members])
        flow, weights = self.flow.select(members), _joined(batch.weights, new.weights)
        joined = Batch(
            members,
            flow,
            weights,
            flow(weights),
            torch.cat([batch.time, new.time]),
            torch.cat([batch.dt, new.dt]),
            torch.cat([batch.steps, new.steps]),
            tuple(_joined(batch.state, new.state)),
            tuple(_joined(batch.controller_state, new.controller_state)),
        )
        return joined, watch.join(new_watch)

    def _begin(self, count: int) -> tuple[Batch, EventWatch]:
        """Return the next ``count`` members, before their first step."""
        start, self.begun = self.begun, self.begun + count
        members = torch.arange(start, self.begun, device=self.flow.alpha.device)
        flow = self.flow if count == len(self.flow.alpha) else self.flow.select(members)
        weights = self.initial_weights(members)
        point = flow(weights)
        # small amplitudes wait long, then move in steps that float32 could not add to their time
        time = torch.zeros_like(flow.alpha, dtype=torch.float64)
        dt = self.controller.first_step(flow, point, members)
        steps = torch.zeros_like(members, dtype=torch.int32)
        state, controller_state = self.stepper.init(flow, weights, point), self.controller.init(dt)
        batch = Batch(members, flow, weights, point, time, dt, steps, state, controller_state)
        return batch, EventWatch.start(self.events, Moment.now(batch))


def _joined(first: Sequence[Tensor], second: Sequence[Tensor]) -> list[Tensor]:
    return [torch.cat(pair) for pair in zip(first, second, strict=True)]
