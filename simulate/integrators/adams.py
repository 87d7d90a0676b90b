r"""Explicit steps where nothing is stiff: predicted and corrected by the formulas of Adams, of variable steps.

With g = J^T c = dw/dt at the start, g_- a step before it, of size dt_-, and r = dt/dt_-,

    g_+ = g + r (g - g_-),
    w_1   = w + dt (g + g_+)/2,                            g_1 = g(w_1),
    w_new = w_1 + dt (3 + 2r)/(6 + 6r) (g_1 - g_+)

are Bashforth's formula of order 2 and Moulton's of order 3 (Hairer, Nørsett, Wanner, Solving Ordinary Differential
Equations I, III.5). Without a step before it, r = 0: Euler's and Heun's. The estimated error F(w_new) - F(w_1) is that
of w_1, of order 3, and taken from forward passes, so that it sees kinks; w_new is better by one order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.dense_output import Hermite
from simulate.integrators.protocol import Batch, SolverState, StepProposal, per_member
from simulate.networks.linearisation import Weights


@dataclass
class Prediction:
    """Where a step of a batch is predicted to end: ``rate`` g, ``end_rate`` g_+, ``weights`` w_1, ``point`` there."""

    rate: Weights
    end_rate: Weights
    weights: Weights
    point: Point

    def select(self, index: Tensor) -> Prediction:
        """Return that of the members at positions ``index``."""
        rate, end_rate, weights = ([w[index] for w in part] for part in (self.rate, self.end_rate, self.weights))
        return Prediction(rate, end_rate, weights, self.point.select(index))


@dataclass
class AdamsProposal(StepProposal):
    """A proposed step, with dw/dt at its two ends for dense output."""

    rates: tuple[Weights, Weights] = field(kw_only=True)


class Adams:
    """The `simulate.integrators.protocol.Stepper`.

    Its state is dt_- (m,), infinite where no step of this kind came before, and g_-.
    """

    order = 3

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return torch.full_like(flow.alpha, torch.inf), *(torch.zeros_like(w) for w in weights)

    def predict(self, batch: Batch) -> Prediction:
        """Return where steps of size ``batch.dt`` end by Bashforth's formula."""
        last_dt, *last_rate = batch.state
        beyond, half = 1.0 + batch.dt / last_dt, 0.5 * batch.dt
        rate = batch.point.weight_velocity()
        end_rate = [torch.lerp(old, g, per_member(beyond, g)) for old, g in zip(last_rate, rate, strict=True)]
        weights = _moved(_moved(batch.weights, half, rate), half, end_rate)
        return Prediction(rate, end_rate, weights, batch.flow(weights))

    def correct(self, batch: Batch, predicted: Prediction) -> AdamsProposal:
        """Return the steps by Moulton's formula."""
        dt, stage = batch.dt, predicted.point
        r = dt / batch.state[0]
        stage_rate = stage.weight_velocity()
        missed = [g - end_rate for g, end_rate in zip(stage_rate, predicted.end_rate, strict=True)]
        weights = _moved(predicted.weights, dt * (3.0 + 2.0 * r) / (6.0 + 6.0 * r), missed)
        point = batch.flow(weights)
        state = dt.clone(), *predicted.rate  # not dt itself: the driver restores the state where it rejects, in place
        error = point.output - stage.output
        return AdamsProposal(weights, point, error, evaluations=2, state=state, rates=(predicted.rate, stage_rate))

    def without_history(self, state: SolverState) -> SolverState:
        """Return the state after a step of another kind: there is no step of this kind to extrapolate from."""
        last_dt, *last_rate = state
        return torch.full_like(last_dt, torch.inf), *last_rate  # which r = 0 leaves out

    def step(self, batch: Batch) -> AdamsProposal:
        """See `Stepper`."""
        return self.correct(batch, self.predict(batch))

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Hermite:
        """See `Stepper`."""
        assert isinstance(proposal, AdamsProposal)
        dt = batch.dt[index]
        first, last = ([per_member(dt, g) * g[index] for g in part] for part in proposal.rates)
        return Hermite([w[index] for w in batch.weights], (first, last), [w[index] for w in proposal.weights])


def _moved(weights: Weights, time: Tensor, rates: Weights) -> Weights:
    """Return ``weights + time · rates``, ``time`` (m,)."""
    return [torch.addcmul(w, per_member(time, w), g) for w, g in zip(weights, rates, strict=True)]
