"""Discrete dynamics on minibatches: stochastic gradient descent and Adam.

One step of the driver is an epoch: n/B updates, rounded up, each on B different points drawn at random
(`simulate.integrators.minibatch_draws`). F on the whole training set, and with it the stop, is evaluated after each
epoch; there is no dense output between epochs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from simulate.campaign.dynamics import Adam
from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.dense_output import Jump
from simulate.integrators.minibatch_draws import MinibatchDraws
from simulate.integrators.protocol import Batch, SolverState, StepProposal, per_member
from simulate.networks.linearisation import Weights


class Update(Protocol):
    """A rule that moves weights along the rate of one minibatch."""

    moments: int  #: tensors of the shape of the weights that it carries from update to update

    def __call__(
        self, weights: Weights, rate: Weights, moments: Weights, size: Tensor, flow: GradientFlow, count: int
    ) -> None:
        """Do the update number ``count`` (from 1), of ``size`` (m,), in place; ``rate`` is dw/dt of the minibatch."""


class SGDUpdate:
    """w <- w + size · dw/dt."""

    moments = 0

    def __call__(
        self, weights: Weights, rate: Weights, moments: Weights, size: Tensor, flow: GradientFlow, count: int
    ) -> None:
        """See `Update`."""
        for w, g in zip(weights, rate, strict=True):
            w.add_(per_member(size, w) * g)


class AdamUpdate:
    """Adam (arXiv:1412.6980), of the published code's loss, for which its epsilon is meant."""

    moments = 2

    def __init__(self, dynamics: Adam) -> None:
        self.beta1, self.beta2, self.epsilon = dynamics.beta1, dynamics.beta2, dynamics.epsilon

    def __call__(
        self, weights: Weights, rate: Weights, moments: Weights, size: Tensor, flow: GradientFlow, count: int
    ) -> None:
        """See `Update`; ``moments`` are the means of the gradients, then those of their squares."""
        scale = flow.alpha / math.sqrt(flow.network.width)  # from the article's loss to the code's
        means, squares = moments[: len(weights)], moments[len(weights) :]
        for w, g, m, v in zip(weights, rate, means, squares, strict=True):
            g = per_member(scale, g) * g
            m.mul_(self.beta1).add_(g, alpha=1.0 - self.beta1)
            v.mul_(self.beta2).addcmul_(g, g, value=1.0 - self.beta2)
            mean, square = m / (1.0 - self.beta1**count), v / (1.0 - self.beta2**count)
            w.add_(per_member(size, w) * mean / (square.sqrt() + self.epsilon))


class Minibatches:
    """The stepper. ``size`` (members,) is that of an update: a step in time, or Adam's learning rate."""

    order = 1

    def __init__(self, update: Update, draws: MinibatchDraws, batch_size: int, size: Tensor) -> None:
        self.update = update
        self.draws = draws
        self.batch_size = batch_size
        self.size = size

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`: the moments of the update, zero at the start."""
        return tuple(torch.zeros_like(w) for _ in range(self.update.moments) for w in weights)

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        weights, state = [w.clone() for w in batch.weights], [part.clone() for part in batch.state]
        epoch = int(batch.steps.max()) if len(batch.steps) else 0  # all are at the same: none is ever rejected
        seed_of = self.draws.seed_of[batch.members]
        for seed in seed_of.unique().tolist():
            index = torch.nonzero(seed_of == seed).squeeze(-1)
            seed_weights, seed_state = [w[index] for w in weights], [part[index] for part in state]
            size = self.size[batch.members[index]]
            self._epoch(batch.flow.select(index), size, seed, epoch, seed_weights, seed_state)
            for whole, part in zip((*weights, *state), (*seed_weights, *seed_state), strict=True):
                whole[index] = part
        point = batch.flow(weights)
        return StepProposal(weights, point, torch.zeros_like(point.output), evaluations=2, state=tuple(state))

    def _epoch(self, flow: GradientFlow, size: Tensor, seed: int, epoch: int, weights: Weights, state: Weights) -> None:
        """Do all updates of an epoch of members that share a seed, in place."""
        points = self.draws.points_of_epoch(seed, epoch, len(flow.y), self.batch_size)
        for k, rows in enumerate(torch.as_tensor(points, device=size.device)):
            rate = _on_points(flow, rows)(weights).weight_velocity()
            self.update(weights, rate, state, size, flow, epoch * len(points) + k + 1)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Jump:
        """See `Stepper`."""
        return Jump([w[index] for w in proposal.weights])


def _on_points(flow: GradientFlow, rows: Tensor) -> GradientFlow:
    """Return the flow on the training points ``rows`` alone."""
    inputs = flow.inputs.select_points(rows)
    return replace(flow, inputs=inputs, y=flow.y[rows], output_initial=flow.output_initial[:, rows])
