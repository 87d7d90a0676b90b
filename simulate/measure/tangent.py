"""The tangent of a trajectory at its start, and how far the trajectory has left it.

With momentum, dw/dt = v and tau dv/dt = -(v + grad L) from rest, the linear solution is F(0) + s(t) F'(0) with
s(t) = t - tau (1 - exp(-t/tau)) and F'(0) the rate of the flow without momentum; tau = 0 gives s(t) = t.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simulate.dynamics.flow import rms
from simulate.integrators import momentum_time
from simulate.measure.network_batch import NetworkBatch
from simulate.training.moment import Moment


class Tangent:
    """F(0) + t F'(0) on the test points, of every member of a batch."""

    def __init__(self, batch: NetworkBatch) -> None:
        self.held_out = batch.held_out
        self.tau = momentum_time(batch.experiment, batch.root_h_alpha)
        groups = torch.arange(len(batch), device=batch.seed_of.device).split(batch.at_once)
        self.rate = torch.cat([_initial_rate(batch, members) for members in groups])
        self.rate_rms = rms(self.rate)

    def departure(self, moment: Moment) -> Tensor:
        """Return rms_test|F(t) - F(0) - t F'(0)| / rms_test|t F'(0)|, shape (m,): it grows from zero."""
        members, time = moment.members, self._elapsed(moment).to(self.rate)
        tangent = time.unsqueeze(-1) * self.rate[members]
        distance = rms(self.held_out.growth(members, moment.weights) - tangent)
        return distance / (time * self.rate_rms[members]).clamp_min(torch.finfo(time.dtype).tiny)

    def _elapsed(self, moment: Moment) -> Tensor:
        """Return s(t), (m,)."""
        tau = self.tau[moment.members]
        start_from_rest = torch.expm1(-moment.time / tau.clamp_min(torch.finfo(tau.dtype).tiny)) * tau
        return torch.where(tau > 0.0, moment.time + start_from_rest, moment.time)


def _initial_rate(batch: NetworkBatch, members: Tensor) -> Tensor:
    """Return dF/dt of ``members`` (m,) at their initial weights on the test points, (m, points)."""
    flow = batch.flow if len(members) == len(batch) else batch.flow.select(members)
    return batch.held_out.rate(members, flow(batch.initial_weights(members)))
