r"""Flow with momentum, linearly implicit: the W-method ROS2 for dw/dt = v, dv/dt = (g(w) - v)/tau.

The stage equations are those of `simulate.integrators.rosenbrock` with the block Jacobian (0, 1; T/tau, -1/tau), T =
-J^T D J/n. Eliminating the first component leaves one system in weight space, of the same form as without momentum:

    (1 - sigma T) k_v = (tau/(tau + s)) (r_v + (s/tau) T r_w),    k_w = r_w + s k_v,    sigma = s²/(tau + s),

which is solved in function space by one Cholesky factor. For tau -> 0 it is the W-method of gradient flow. The error is
that of the embedded first-order solution's F, dense output the cubic through weights and velocities at the ends.

A tau that grows with time, tau = growth·t, is taken at the middle of the step, which leaves the order, 2 (but
for a logarithm of the step, of the first steps, unless growth << 1). The solution that stays finite at t = 0 starts
with v = g.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.dense_output import Hermite
from simulate.integrators.protocol import Batch, SolverState, StepProposal, per_member
from simulate.integrators.rosenbrock import GAMMA
from simulate.networks.linearisation import Weights


class MomentumRosenbrock:
    """The stepper; ``tau`` (members,) in article time, or its ``growth``, tau/t. Its state are the velocities."""

    order = 2

    def __init__(self, tau: Tensor, growth: float | None = None) -> None:
        self.tau, self.growth = tau, growth

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`: networks start at rest, or where tau grows from zero, with the velocity of the flow."""
        return tuple(torch.zeros_like(w) for w in weights) if self.growth is None else tuple(point.weight_velocity())

    def _tau(self, batch: Batch) -> Tensor:
        if self.growth is None:
            return self.tau[batch.members]
        return self.growth * (batch.time + 0.5 * batch.dt)

    def step(self, batch: Batch) -> StepProposal:
        """See `Stepper`."""
        tau, dt, w, v = self._tau(batch), batch.dt, batch.weights, list(batch.state)
        s = GAMMA * dt
        system = _StageEquations(batch.point, s, tau)
        gradient = batch.point.weight_velocity()
        k1_w, k1_v = system.solve(v, _scaled(1.0 / tau, _minus(gradient, v)))
        stage, stage_v = _plus(w, _scaled(dt, k1_w)), _plus(v, _scaled(dt, k1_v))
        middle = batch.flow(stage)
        rate = _scaled(1.0 / tau, _minus(middle.weight_velocity(), stage_v))
        twice = torch.full_like(dt, 2.0)
        k2_w, k2_v = system.solve(_minus(stage_v, _scaled(twice, k1_w)), _minus(rate, _scaled(twice, k1_v)))
        new = _plus(w, _plus(_scaled(1.5 * dt, k1_w), _scaled(0.5 * dt, k2_w)))
        new_v = _plus(v, _plus(_scaled(1.5 * dt, k1_v), _scaled(0.5 * dt, k2_v)))
        point = batch.flow(new)
        return StepProposal(new, point, point.output - middle.output, evaluations=2, state=tuple(new_v))

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Hermite:
        """See `Stepper`."""
        dt = batch.dt[index]
        first, last = (_scaled(dt, [v[index] for v in state]) for state in (batch.state, proposal.state))
        return Hermite([w[index] for w in batch.weights], (first, last), [w[index] for w in proposal.weights])


class _StageEquations:
    """The stage equations at one point."""

    def __init__(self, point: Point, s: Tensor, tau: Tensor) -> None:
        self.linearisation, self.s, self.tau = point.linearisation, s, tau
        self.curvature, self.n = point.curvature, point.force.shape[1]
        self.root = point.curvature.sqrt()
        self.ratio = (s**2 / (tau + s) / self.n).unsqueeze(-1)
        matrix = point.linearisation.kernel() * self.root.unsqueeze(-1) * (self.root * self.ratio).unsqueeze(-2)
        matrix.diagonal(dim1=-2, dim2=-1).add_(1.0)
        self.factor, _ = torch.linalg.cholesky_ex(matrix)

    def solve(self, r_w: Weights, r_v: Weights) -> tuple[Weights, Weights]:
        """Return k_w, k_v."""
        t_r_w = self.linearisation.pullback(-self.curvature / self.n * self.linearisation.pushforward(r_w))
        right = _scaled(self.tau / (self.tau + self.s), _plus(r_v, _scaled(self.s / self.tau, t_r_w)))
        inner = (self.root * self.linearisation.pushforward(right)).unsqueeze(-1)
        solved = torch.cholesky_solve(inner, self.factor).squeeze(-1)
        k_v = _minus(right, self.linearisation.pullback(self.ratio * self.root * solved))
        return _plus(r_w, _scaled(self.s, k_v)), k_v


def _scaled(factor: Tensor, v: Weights) -> Weights:
    return [per_member(factor, part) * part for part in v]


def _plus(a: Weights, b: Weights) -> Weights:
    return [x + y for x, y in zip(a, b, strict=True)]


def _minus(a: Weights, b: Weights) -> Weights:
    return [x - y for x, y in zip(a, b, strict=True)]
