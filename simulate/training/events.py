"""Events: what can happen once on a member's way, and which events the members of a batch still have before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from simulate.training.moment import Moment


class Event(Protocol):
    """Something that happens once on a member's way, when its event function reaches zero from below.

    ``tolerance`` is how far above zero the event function may be where the event is placed. The ``terminal`` event, one
    at most, ends the member; the others are recorded if they came before that.
    """

    tolerance: float
    terminal: bool

    @property
    def value_from_output(self) -> Callable[[Tensor], Tensor] | None:
        """The event function as one of F on the training set (..., m, n_train); None if it needs more than F."""

    def value(self, moment: Moment) -> Tensor:
        """Return the event function of these members, shape (m,)."""

    def record(self, moment: Moment) -> None:
        """Take note of members at their event (not called for terminal events: the members leave)."""


@dataclass
class EventWatch:
    """The event functions of a batch's members, ``values``, and which events are ``pending``: (m, events) both.

    ``awaited`` says of each event whether it may be pending for anybody.
    """

    events: Sequence[Event]
    values: Tensor
    pending: Tensor
    awaited: Sequence[bool]

    @classmethod
    def start(cls, events: Sequence[Event], moment: Moment) -> EventWatch:
        """Return it before the first step, all events pending."""
        values = torch.stack([event.value(moment) for event in events], dim=-1)
        return cls(events, values, torch.ones_like(values, dtype=torch.bool), [True] * len(events))

    def advance(self, arrival: Moment, accepted: Tensor) -> tuple[EventWatch, Tensor]:
        """Return it after a step, and which events happened in the step, (m, events).

        ``arrival`` are all members at the step's end; only those ``accepted`` (m,) get there. Event functions are
        evaluated where they are pending; those of outputs alone everywhere, since they cost less than to select.
        """
        located = self.pending & accepted.unsqueeze(-1)
        columns = list(self.values.unbind(-1))
        for k, event in enumerate(self.events):
            if self.awaited[k]:
                columns[k] = _updated(event, columns[k], arrival, located[:, k])
        values = torch.stack(columns, dim=-1)
        passed = located & (values >= 0.0)
        return replace(self, values=values, pending=self.pending & ~passed), passed

    def refresh_awaited(self) -> EventWatch:
        """Return it with ``awaited`` worked out again from ``pending``, which a step with an event has changed."""
        return replace(self, awaited=self.pending.any(dim=0).tolist())

    def join(self, newcomers: EventWatch) -> EventWatch:
        """Return it with the members of ``newcomers``, which have all events before them, behind its own."""
        values, pending = torch.cat([self.values, newcomers.values]), torch.cat([self.pending, newcomers.pending])
        return replace(newcomers, values=values, pending=pending)

    def select(self, index: Tensor) -> EventWatch:
        """Return it for the members at positions ``index``."""
        return replace(self, values=self.values[index], pending=self.pending[index])


def _updated(event: Event, values: Tensor, arrival: Moment, located: Tensor) -> Tensor:
    """Return ``values`` (m,) with those at ``arrival`` for the members that are ``located`` (m,)."""
    if event.value_from_output is not None:
        return torch.where(located, event.value_from_output(arrival.output), values)
    index = torch.nonzero(located).squeeze(-1)
    if len(index) == len(values):
        return event.value(arrival)
    return values.index_copy(0, index, event.value(arrival.select(index))) if len(index) else values
