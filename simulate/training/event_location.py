"""Where on an accepted step an event happens."""

from __future__ import annotations

import torch
from torch import Tensor

from simulate.training.accepted_step import AcceptedStep
from simulate.training.events import Event
from simulate.training.moment import Moment

_EVALUATIONS = 50  # of an event function, at most: in practice a few
_PREDICTED = 3  # of them, the first ones, where the predicted outputs say


def locate(event: Event, step: AcceptedStep, low: Tensor, high: Tensor) -> tuple[Tensor, Moment]:
    """Return the shares (m,) at which the event function is between zero and its tolerance, and the members there.

    ``low`` < 0 and ``high`` >= 0, (m,) both, are the event function at the two ends of the steps. The first shares are
    those at which the predicted outputs cross, corrected by what is seen there; then those of false position
    (Illinois). A step without dense output has its events at its end.
    """
    goal = 0.5 * event.tolerance
    left, right, value_right = torch.zeros_like(low), torch.ones_like(low), high
    if not step.dense_output.continuous:
        return right, step.moment_at(right)
    low, high = low - goal, high - goal
    moved = torch.zeros_like(low)  # which end moved last: -1 left, 1 right
    predicted = None
    if event.value_from_output is not None:
        shares, outputs = step.dense_output.predict_outputs(*step.outputs)
        predicted = shares, event.value_from_output(outputs) - goal
    missed = torch.zeros_like(low)  # by the prediction, where it was last compared
    for evaluation in range(_EVALUATIONS):
        active = value_right > event.tolerance
        chord = (-low / (high - low)).nan_to_num(0.5).clamp(0.02, 0.98)
        share = left + chord * (right - left)
        if predicted is not None and evaluation < _PREDICTED:
            crossing = _first_crossing(*predicted, missed)
            inside = (left < crossing) & (crossing < right)
            share = torch.where(inside, crossing, share)
            missed = missed.where(inside, torch.nan)  # no longer known
        share = torch.where(active, share, right)
        moment = step.moment_at(share)
        value = event.value(moment)
        missed = missed + (value - goal)
        above = active & (value >= 0.0)
        below = active & ~above
        # an end that stays twice counts half, so that the other one passes the root
        low = torch.where(below, value - goal, torch.where(above & (moved > 0), 0.5 * low, low))
        high = torch.where(above, value - goal, torch.where(below & (moved < 0), 0.5 * high, high))
        moved = above.to(low.dtype) - below.to(low.dtype)
        left, right = torch.where(below, share, left), torch.where(above, share, right)
        value_right = torch.where(above, value, value_right)
        located, evaluated = torch.stack([(value_right <= event.tolerance).all(), (share == right).all()]).tolist()
        if located:
            return right, moment if evaluated else step.moment_at(right)
    return right, step.moment_at(right)


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
