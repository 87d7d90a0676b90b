r"""The exponential Rosenbrock-Euler step, for flows of a frozen kernel: exact where the curvature is constant.

In coefficients p (F = F_0 + Theta p, dp/dt = c(F)) the Jacobian is -D Theta/n, and

    p_new = p + dt phi(-dt D Theta/n) c,    phi(-z) = (1 - exp(-z))/z,

solves a flow with constant D (the square loss) exactly for any dt, and others to order 2 (Hochbruck, Ostermann, Acta
Numerica 19 (2010) 209). phi is taken in the eigenbasis of S Theta S, S = D^(1/2): with phi(-z) = 1 - z psi(z),

    phi(-dt D Theta/n) c = c - (dt/n) S psi(dt S Theta S/n) S Theta c,

which needs no inverse of S. The estimated error is how far the force, at the end, is from what the linearisation says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.dense_output import StraightPrediction
from simulate.integrators.protocol import Batch, SolverState, StepProposal
from simulate.networks import ntk
from simulate.networks.linearisation import Weights


@dataclass
class ExponentialProposal(StepProposal):
    """A proposed step, with the solution of the linear flow that dense output follows."""

    linear: LinearFlow = field(kw_only=True)


class Exponential:
    """The `simulate.integrators.Stepper`; only for `simulate.dynamics.frozen_kernel.frozen_flow`."""

    order = 2

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return ()

    def step(self, batch: Batch) -> ExponentialProposal:
        """See `Stepper`."""
        linear = LinearFlow.linearised_at(batch.weights[0], batch.point)
        new = linear.after(batch.dt)
        point = batch.flow([new])
        # l' along the linearisation: -l' y / n = c + (-D/n) (F - F_start)
        linear_force = batch.point.force - batch.point.curvature * (point.output - batch.point.output) / linear.n
        error = batch.dt.unsqueeze(-1) * point.linearisation.pushforward([(point.force - linear_force).unsqueeze(-1)])
        return ExponentialProposal([new], point, 0.5 * error, evaluations=1, linear=linear)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> ExponentialDenseOutput:
        """See `Stepper`."""
        assert isinstance(proposal, ExponentialProposal)
        return ExponentialDenseOutput(proposal.linear.select(index), batch.dt[index])


@dataclass
class LinearFlow:
    """p(t) of the linearised flow, by the eigenvalues (m, n) and eigenvectors (m, n, n) of S Theta S / n."""

    start: Tensor
    force: Tensor
    root: Tensor
    values: Tensor
    vectors: Tensor
    inner: Tensor  # vectors^T S Theta c
    n: int

    @classmethod
    def linearised_at(cls, start: Tensor, point: Point) -> LinearFlow:
        """Return the flow linearised at a point with coefficients ``start`` (m, n, 1)."""
        theta, root, n = point.linearisation.kernel(), point.curvature.sqrt(), point.force.shape[1]
        values, vectors = torch.linalg.eigh(root.unsqueeze(-1) * theta * root.unsqueeze(-2) / n)
        pushed = root * ntk.product(theta, point.force)
        inner = torch.bmm(vectors.mT, pushed.unsqueeze(-1)).squeeze(-1)
        return cls(start, point.force, root, values.clamp_min(0.0), vectors, inner, n)

    def after(self, dt: Tensor) -> Tensor:
        """Return the coefficients after ``dt`` (m,), shape (m, n, 1)."""
        dt = dt.unsqueeze(-1)
        slowed = torch.bmm(self.vectors, (_psi(dt * self.values) * self.inner).unsqueeze(-1)).squeeze(-1)
        return self.start + (dt * (self.force - dt / self.n * self.root * slowed)).unsqueeze(-1)

    def select(self, index: Tensor) -> LinearFlow:
        """Return the members at positions ``index``."""
        return LinearFlow(
            self.start[index],
            self.force[index],
            self.root[index],
            self.values[index],
            self.vectors[index],
            self.inner[index],
            self.n,
        )


@dataclass
class ExponentialDenseOutput(StraightPrediction):
    """Dense output: the linear flow itself."""

    linear: LinearFlow
    dt: Tensor
    continuous = True

    def weights_at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        return [self.linear.after(share * self.dt)]

    def select(self, index: Tensor) -> ExponentialDenseOutput:
        """See `simulate.integrators.protocol.DenseOutput`."""
        return ExponentialDenseOutput(self.linear.select(index), self.dt[index])


def _psi(z: Tensor) -> Tensor:
    """(1 - phi(-z))/z = (z - 1 + exp(-z))/z², 1/2 at zero: a series for small z."""
    series = 0.5 - z / 6.0 + z**2 / 24.0 - z**3 / 120.0
    safe = torch.where(z < 1e-2, torch.ones_like(z), z)
    return torch.where(z < 1e-2, series, (safe + torch.expm1(-safe)) / safe**2)
