"""Discrete dynamics on minibatches: stochastic gradient descent and Adam.

One step of the driver is an epoch: n/B updates, rounded up, each on B different points drawn at random. F on the whole
training set, and with it the stop, is looked at after each epoch; between epochs there is nothing to look at. Nothing
is ever rejected: a network that becomes NaN ends diverged.

Which points are drawn depends on (base_seed, architecture, depth, width, input dimension, seed) and the epoch only, as
initial weights do: networks that differ in alpha see the same minibatches.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from simulate.campaign.dynamics import SGD, Adam
from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.protocol import Batch, Jump, SolverState, StepProposal, per_member
from simulate.networks.architecture import Architecture
from simulate.networks.linearisation import Weights


class Draws:
    """The minibatches of networks: ``seeds`` are the networks' own, ``seed_of`` (members,) says which is whose."""

    def __init__(self, network: Architecture, base_seed: int, seeds: Sequence[int], seed_of: Tensor) -> None:
        shape = f"{network.name}/{network.depth}/{network.width}/{network.input_dim}"
        self.keys = [f"{base_seed}/{shape}/{seed}/minibatches" for seed in seeds]
        self.seed_of = seed_of

    def of(self, seed: int, epoch: int, n: int, size: int) -> np.ndarray:
        """Return the points of all updates of an epoch, (updates, size)."""
        updates = math.ceil(n / size)
        if size == n:
            return np.arange(n)[None]
        digest = hashlib.sha256(f"{self.keys[seed]}/{epoch}".encode()).digest()
        generator = np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "little")))
        return np.stack([generator.choice(n, size, replace=False) for _ in range(updates)])


class Minibatches:
    """The stepper. ``rate`` (members,) is the size of an update: a step in time, or Adam's learning rate."""

    order = 1

    def __init__(self, dynamics: SGD | Adam, draws: Draws, rate: Tensor) -> None:
        self.dynamics = dynamics
        self.draws = draws
        self.rate = rate

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`: Adam's two moments."""
        moments = 2 if isinstance(self.dynamics, Adam) else 0
        return tuple(torch.zeros_like(w) for _ in range(moments) for w in weights)

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        new, state = [w.clone() for w in batch.weights], [part.clone() for part in batch.state]
        epoch = int(batch.steps.max()) if len(batch.steps) else 0  # all are at the same: none is ever rejected
        seeds = self.draws.seed_of[batch.members]
        for seed in seeds.unique().tolist():
            index = torch.nonzero(seeds == seed).squeeze(-1)
            own, own_state = [w[index] for w in new], [part[index] for part in state]
            flow = batch.flow.select(index)
            points = self.draws.of(seed, epoch, len(flow.y), self.dynamics.batch_size)
            for k, rows in enumerate(torch.as_tensor(points, device=index.device)):
                part = _restricted(flow, rows)
                gradient = part(own)
                pull = gradient.weight_velocity()
                self._update(own, pull, own_state, batch, index, epoch * len(points) + k + 1)
            for whole, piece in zip((*new, *state), (*own, *own_state), strict=True):
                whole[index] = piece
        point = batch.flow(new)
        return StepProposal(new, point, torch.zeros_like(point.output), 2, tuple(state))

    def _update(self, own: Weights, pull: Weights, state: Weights, batch: Batch, index: Tensor, count: int) -> None:
        rate = self.rate[batch.members[index]]
        if isinstance(self.dynamics, SGD):
            for w, g in zip(own, pull, strict=True):
                w.add_(per_member(rate, w) * g)
            return
        d, half = self.dynamics, len(state) // 2
        # from the article's loss to the code's, for which epsilon is meant
        scale = batch.flow.alpha[index] / math.sqrt(batch.flow.network.width)
        for w, g, m, v in zip(own, pull, state[:half], state[half:], strict=True):
            g = per_member(scale, g) * g
            m.mul_(d.beta1).add_(g, alpha=1.0 - d.beta1)
            v.mul_(d.beta2).addcmul_(g, g, value=1.0 - d.beta2)
            mean, square = m / (1.0 - d.beta1**count), v / (1.0 - d.beta2**count)
            w.add_(per_member(rate, w) * mean / (square.sqrt() + d.epsilon))

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Jump:
        """See `Stepper`."""
        return Jump([w[index] for w in proposal.weights])


class EveryStep:
    """The controller of discrete dynamics: every step is taken; ``dt`` (members,) is what an epoch takes."""

    rests = False  # no draw of an epoch may have hit the points that are not fitted yet

    def __init__(self, dt: Tensor) -> None:
        self.dt = dt

    def first_step(self, flow: GradientFlow, point: Point) -> Tensor:
        """See `Controller`."""
        return self.dt.clone()

    def judge(self, batch: Batch, proposal: StepProposal, sound: Tensor) -> tuple[Tensor, Tensor]:
        """See `Controller`: what is not finite is given up."""
        return sound, sound.to(batch.dt.dtype)


def _restricted(flow: GradientFlow, rows: Tensor) -> GradientFlow:
    """The flow on the points ``rows`` alone."""
    inputs = flow.inputs.select_points(rows)
    return replace(flow, inputs=inputs, y=flow.y[rows], output_initial=flow.output_initial[:, rows])
