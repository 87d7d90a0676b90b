"""Events: what can happen once on a member's way, and which events the members of a batch still have before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
    """The event functions of a batch's members, ``values``, and which events are ``pending``: (m, events) both."""

    events: Sequence[Event]
    values: Tensor
    pending: Tensor

    @classmethod
    def start(cls, events: Sequence[Event], moment: Moment) -> EventWatch:
        """Return it before the first step, all events pending."""
        values = torch.stack([event.value(moment) for event in events], dim=-1)
        return cls(events, values, torch.ones_like(values, dtype=torch.bool))

    def advance(self, arrival: Moment, accepted: Tensor) -> tuple[EventWatch, Tensor]:
        """Return it after a step, and which events happened in the step, (m, events).

        ``arrival`` are all members at the step's end; only those ``accepted`` (m,) get there. Event functions are
        evaluated where they are pending.
        """
        values = self.values.clone()
        for k, event in enumerate(self.events):
            index = torch.nonzero(accepted & self.pending[:, k]).squeeze(-1)
            if len(index):
                values[index, k] = event.value(arrival if len(index) == len(accepted) else arrival.select(index))
        passed = self.pending & (values >= 0.0) & accepted.unsqueeze(-1)
        return EventWatch(self.events, values, self.pending & ~passed), passed

    def select(self, index: Tensor) -> EventWatch:
        """Return it for the members at positions ``index``."""
        return EventWatch(self.events, self.values[index], self.pending[index])
