"""Events that happened in an accepted step: recorded in the order that time gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from simulate.training.accepted_step import AcceptedStep
from simulate.training.event_location import Passing, locate
from simulate.training.events import Event
from simulate.training.moment import Moment


def record_events(
    events: Sequence[Event], step: AcceptedStep, low: Tensor, high: Tensor, passed: np.ndarray
) -> tuple[np.ndarray, Moment | None]:
    """Record the events that members passed; return the positions of those that ended, and the moment of their end.

    ``low``, ``high`` (m, events) are the event functions at the two ends of the steps, ``passed`` (m, events) says,
    on the host, which events happened. An event after the terminal one has not happened: it is not recorded.
    """
    passings, positions, columns, stop = [], [], [], 0
    for column, event in enumerate(events):
        passing = np.flatnonzero(passed[:, column])
        if len(passing):
            start, stop = stop, stop + len(passing)
            passings.append(Passing(event, slice(start, stop)))
            positions.append(passing)
            columns.append(np.full_like(passing, column))
    position = np.concatenate(positions)
    index, column_of = torch.as_tensor(np.stack([position, np.concatenate(columns)]), device=low.device)
    share, moment = locate(passings, step.select(index), low[index, column_of], high[index, column_of])

    share_end = torch.full_like(low[:, 0], torch.inf)
    ended, end = position[:0], None
    # the terminal event first: what would come after the end has not happened
    for p in sorted(passings, key=lambda p: not p.event.terminal):
        members, happened = index[p.rows], moment.select(p.rows)
        if p.event.terminal:
            share_end[members] = share[p.rows]
            ended, end = position[p.rows], happened
        elif end is None:
            p.event.record(happened)
        else:
            before = torch.nonzero(share[p.rows] <= share_end[members]).squeeze(-1)
            if len(before):  # what an event measures need not be defined for no network at all
                p.event.record(happened.select(before))
    return ended, end
