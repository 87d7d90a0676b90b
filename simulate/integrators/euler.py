"""Explicit Euler with the acceptance rule of the published runs: the baseline that others are compared with.

From the code of arXiv:1906.08034 (mariogeiger/feature_lazy, branch ``article``, dynamics.py): a step is accepted if
max|alpha df| < 0.1 over the training set and |g' - g|²/(|g||g'|) < 1e-4 for the gradients at its ends; if both are
below half of their limits, dt grows by 1.1; a rejected step is taken back and dt divided by 10. dt starts at 1 in the
code's time, t_code = (sqrt(h)/alpha) t_article. It has no error tolerance: what the rule allows is what is made.

On activations with kinks the second condition can fail at every dt, and the method then stalls.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.dense_output import Line
from simulate.integrators.protocol import Batch, ControllerState, SolverState, StepProposal, norm_per_member, per_member
from simulate.networks.linearisation import Weights

MAX_DOUT, MAX_DGRAD = 0.1, 1e-4
_GROW, _SHRINK = 1.1, 0.1


class Euler:
    """w + dt g(w). Its state is g, so that a step takes one evaluation, whether it is accepted or not."""

    order = 1  #: of dF, which takes the place of an error estimate in the published rule

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return tuple(point.weight_velocity())

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        new = [torch.addcmul(w, per_member(batch.dt, w), g) for w, g in zip(batch.weights, batch.state, strict=True)]
        point = batch.flow(new)
        gradient = tuple(point.weight_velocity())
        return StepProposal(new, point, point.output - batch.point.output, evaluations=1, state=gradient)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Line:
        """See `Stepper`."""
        return Line([w[index] for w in batch.weights], [w[index] for w in proposal.weights])


class PublishedRule:
    """The `simulate.integrators.Controller` of `Euler`; norms are over the weights themselves (layer `Dense`)."""

    detects_rest = True

    def first_step(self, flow: GradientFlow, point: Point, members: Tensor) -> Tensor:
        """See `Controller`."""
        return flow.alpha / math.sqrt(flow.network.width)

    def init(self, dt: Tensor) -> ControllerState:
        """See `Controller`: the rule looks at one step alone."""
        return ()

    def judge(
        self, state: ControllerState, batch: Batch, proposal: StepProposal, is_finite: Tensor
    ) -> tuple[Tensor, Tensor, ControllerState]:
        """See `Controller`."""
        dout = proposal.error.abs().amax(dim=-1)
        moved = norm_per_member([new - old for new, old in zip(proposal.state, batch.state, strict=True)])
        dgrad = moved.square() / (norm_per_member(batch.state) * norm_per_member(proposal.state))
        accepted = is_finite & (dout < MAX_DOUT) & (dgrad < MAX_DGRAD)
        easy = (dout < 0.5 * MAX_DOUT) & (dgrad < 0.5 * MAX_DGRAD)
        grown = torch.where(easy, torch.full_like(dout, _GROW), 1.0)  # two plain numbers would meet in float32
        return accepted, torch.where(accepted, grown, _SHRINK), state
