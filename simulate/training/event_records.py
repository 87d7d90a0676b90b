"""Events that happened in an accepted step: recorded in the order that time gives them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulate.training.accepted_step import AcceptedStep
from simulate.training.event_location import locate
from simulate.training.events import Event
from simulate.training.moment import Moment


def record_events(
    events: Sequence[Event], step: AcceptedStep, low: Tensor, high: Tensor, passed: Tensor
) -> tuple[Tensor, Moment | None]:
    """Record the events that members passed; return the positions of those that ended, and the moment of their end.

    ``low``, ``high`` (m, events) are the event functions at the two ends of the steps, ``passed`` (m, events) says
    which events happened. An event after the terminal one has not happened: it is not recorded.
    """
    share_end = torch.full_like(low[:, 0], torch.inf)
    ended, end = torch.nonzero(passed[:, 0]).squeeze(-1)[:0], None
    # the terminal event first: what would come after the end has not happened
    for k, event in sorted(enumerate(events), key=lambda numbered: not numbered[1].terminal):
        index = torch.nonzero(passed[:, k]).squeeze(-1)
        if len(index) == 0:
            continue
        part = step.select(index)
        share, moment = locate(event, part, low[index, k], high[index, k])
        if event.terminal:
            share_end[index] = share
            ended, end = index, moment
        else:
            before = torch.nonzero(share <= share_end[index]).squeeze(-1)
            event.record(moment.select(before))
    return ended, end
