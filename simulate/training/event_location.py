"""Where on accepted steps events happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.training.accepted_step import AcceptedStep
from simulate.training.events import Event
from simulate.training.moment import Moment

_EVALUATIONS = 50  # of an event function, at most: in practice a few
_PREDICTED = 3  # of them, the first ones, where the predicted outputs say


@dataclass(frozen=True)
class Passing:
    """An event that happens in the steps ``rows`` of an `AcceptedStep`."""

    event: Event
    rows: slice


def locate(passings: Sequence[Passing], step: AcceptedStep, low: Tensor, high: Tensor) -> tuple[Tensor, Moment]:
    """Return the shares (m,) at which event functions are between zero and their tolerance, and the members there.

    The rows of ``passings`` are one after the other those of ``step``: a member that passes two events is in it twice.
    ``low`` < 0 and ``high`` >= 0, (m,) both, are the event functions at the two ends of the steps. The first shares are
    those at which the predicted outputs cross, corrected by what is seen there; then those of false position
    (Illinois). A step without dense output has its events at its end.

    All events are located side by side: a row that is located waits at its share for the others.
    """
    left, right, value_right = torch.zeros_like(low), torch.ones_like(low), high
    if not step.dense_output.continuous:
        return right, step.moment_at(right)
    tolerance = torch.cat([torch.full_like(low[p.rows], p.event.tolerance) for p in passings])
    goal = 0.5 * tolerance
    low, high = low - goal, high - goal
    moved = torch.zeros_like(low)  # which end moved last: -1 left, 1 right
    predicted = _predicted_values(passings, step, goal)
    missed = torch.zeros_like(low)  # by the prediction, where it was last compared
    searching = list(passings)
    for evaluation in range(_EVALUATIONS):
        active = value_right > tolerance
        chord = (-low / (high - low)).nan_to_num(0.5).clamp(0.02, 0.98)
        share = left + chord * (right - left)
        if predicted is not None and evaluation < _PREDICTED:
            crossing = _first_crossing(*predicted, missed)
            inside = (left < crossing) & (crossing < right)
            share = torch.where(inside, crossing, share)
            missed = missed.where(inside, torch.nan)  # no longer known
        share = torch.where(active, share, right)
        moment = step.moment_at(share)
        value = value_right.clone()
        for p in searching:
            value[p.rows] = p.event.value(moment.select(p.rows))
        missed = missed + (value - goal)
        above = active & (value >= 0.0)
        below = active & ~above
        # an end that stays twice counts half, so that the other one passes the root
        low = torch.where(below, value - goal, torch.where(above & (moved > 0), 0.5 * low, low))
        high = torch.where(above, value - goal, torch.where(below & (moved < 0), 0.5 * high, high))
        moved = above.to(low.dtype) - below.to(low.dtype)
        left, right = torch.where(below, share, left), torch.where(above, share, right)
        value_right = torch.where(above, value, value_right)
        located = value_right <= tolerance
        flags = [located[p.rows].all() for p in searching]
        *done, evaluated = torch.stack([*flags, (share == right).all()]).tolist()
        searching = [p for p, is_done in zip(searching, done, strict=True) if not is_done]
        if not searching:
            return right, moment if evaluated else step.moment_at(right)
    return right, step.moment_at(right)


def _predicted_values(passings: Sequence[Passing], step: AcceptedStep, goal: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return shares and event functions there minus ``goal``, (k, m) both, as outputs are predicted.

    NaN for events that need more than outputs; None where all do.
    """
    if all(p.event.value_from_output is None for p in passings):
        return None
    shares, outputs = step.dense_output.predict_outputs(*step.outputs)
    values = torch.full_like(shares, torch.nan)
    for p in passings:
        if p.event.value_from_output is not None:
            values[:, p.rows] = p.event.value_from_output(outputs[:, p.rows])
    return shares, values - goal


def _first_crossing(shares: Tensor, values: Tensor, missed: Tensor) -> Tensor:
    """Return where ``values`` (k, m) + ``missed`` (m,), linear between ``shares`` (k, m), first reach zero.

    NaN where they do not.
    """
    values = values + missed
    above, members = values >= 0.0, torch.arange(values.shape[1], device=values.device)
    k = above.to(torch.uint8).argmax(dim=0)
    before, after = values[k - 1, members], values[k, members]
    share = torch.lerp(shares[k - 1, members], shares[k, members], before / (before - after))
    return share.where((k > 0) & above.any(dim=0), torch.nan)
