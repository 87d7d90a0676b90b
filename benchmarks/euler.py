"""The published integrator, as the baseline: explicit Euler with the acceptance rule of arXiv:1906.08034.

The rule and the steps are those of `simulate.integrators.euler`; here for one network at a time, as the published code
does it, in a plain loop without the driver's bookkeeping: for one small network that is twice as fast, and so the fair
baseline. Forward and backward passes are this project's own, on as many threads and in the same dtype.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow
from simulate.integrators.euler import MAX_DGRAD, MAX_DOUT
from simulate.networks.fully_connected import Weights


@dataclass
class Trained:
    """Where Euler's method ended: weights, article time, forward-backward passes, and whether it met the stop."""

    weights: Weights
    time: float
    evaluations: int
    converged: bool


def train(flow: GradientFlow, weights: Weights, max_evaluations: int) -> Trained:
    """Follow the flow of a batch of one network until every margin is 1."""
    point = flow(weights)
    gradient = point.weight_velocity()
    dt = flow.alpha.item() / math.sqrt(flow.network.width)
    time, evaluations = 0.0, 1
    while evaluations < max_evaluations:
        trial = [w + dt * g for w, g in zip(weights, gradient, strict=True)]
        arrived = flow(trial)
        new_gradient = arrived.weight_velocity()
        evaluations += 1
        dout = (arrived.output - point.output).abs().max().item()
        dgrad = (_square(new_gradient, gradient) / (_norm(gradient) * _norm(new_gradient))).item()
        if not (dout < MAX_DOUT and dgrad < MAX_DGRAD):
            dt /= 10.0
            continue
        weights, point, gradient = trial, arrived, new_gradient
        time += dt
        if flow.progress(point.output).item() >= 0:
            return Trained(weights, time, evaluations, True)
        if dout < 0.5 * MAX_DOUT and dgrad < 0.5 * MAX_DGRAD:
            dt *= 1.1
    return Trained(weights, time, evaluations, False)


def _norm(weights: Weights) -> Tensor:
    return torch.stack([w.norm() for w in weights]).norm()


def _square(a: Weights, b: Weights) -> Tensor:
    return torch.stack([(x - y).square().sum() for x, y in zip(a, b, strict=True)]).sum()
