r"""A linearly implicit step: the W-method ROS2 with the Gauss-Newton Jacobian, solved in function space.

ROS2 (Verwer, Spee, Blom, Hundsdorfer, SIAM J. Sci. Comput. 20 (1999) 1456), for dw/dt = g(w) and any matrix T,

    (1 - s T) k1 = g(w),    (1 - s T) k2 = g(w + dt k1) - 2 k1,    w_new = w + dt (3 k1 + k2)/2,    s = gamma dt,

is of order 2 whatever T is, and L-stable for gamma = 1 - 1/sqrt(2) when T is the Jacobian. Here T = -J^T D J / n at
the step's start, whose resolvent lives in function space:

    (1 + s J^T D J/n)^-1 v = v - (s/n) J^T S C^-1 S J v,    C = 1 + (s/n) S Theta S,    S = D^(1/2),

one Cholesky factor of an n×n matrix per member and step; no array of size n × (number of weights). Members whose step
is far from stiff, max(D) tr(Theta) s/n < 1/100, take T = 0 (Heun's method) and need no kernel: with a soft hinge that
is the whole growth from small amplitudes, up to margins of about 1/2.

The first-order solution w + dt k1 is embedded; the difference of the two predictors on the training set is the error
estimate. It is taken from two forward passes, not through J, so that it sees kinks and a growth that the linearisation
does not. Between the ends, with 0 <= theta <= 1, the step is followed by

    w(theta) = w + theta dt k1 + theta² dt (k1 + k2)/2,

of order 2 where nothing is stiff, and bounded by what the error estimate bounds where something is.

A W-method of order 3 with four stages (ROS34PW2; Rang, Angermann, BIT Numer. Math. 45 (2005) 761) was tried: at equal
error it takes as many gradients, because T leaves out the part of the Jacobian that makes networks grow when A << 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from simulate.dynamics.flow import GradientFlow, Point
from simulate.integrators.dense_output import StraightPrediction
from simulate.integrators.protocol import Batch, SolverState, StepProposal
from simulate.networks import ntk
from simulate.networks.linearisation import Weights

GAMMA = 1.0 - 1.0 / math.sqrt(2.0)
_STIFF = 0.01  # small enough that the order is seen across it


@dataclass
class RosenbrockProposal(StepProposal):
    """A proposed step, with what its dense output needs.

    ``first_order`` (members, n) is dt k1 in function space: J^T of it is the change of weights of first order.
    """

    first_order: Tensor = field(kw_only=True)


class Rosenbrock:
    """The W-method as a `simulate.integrators.protocol.Stepper`; it has no state."""

    order = 2

    def init(self, flow: GradientFlow, weights: Weights, point: Point) -> SolverState:
        """See `Stepper`."""
        return ()

    def step(self, batch: Batch) -> RosenbrockProposal:
        """See `Stepper`."""
        return step(batch.flow, batch.weights, batch.point, batch.dt)

    def dense_output(self, batch: Batch, proposal: StepProposal, index: Tensor) -> Parabola:
        """See `Stepper`."""
        assert isinstance(proposal, RosenbrockProposal)
        start = [w[index] for w in batch.weights]
        stage = batch.point.linearisation.select(index).add_pullback(start, proposal.first_order[index])
        return Parabola(start, stage, [w[index] for w in proposal.weights])


def step(flow: GradientFlow, weights: Weights, point: Point, dt: Tensor) -> RosenbrockProposal:
    """Propose one step of size ``dt`` (members,) from ``weights``, where ``point = flow(weights)``.

    Nothing is changed in place, so a rejected step can be tried again.
    """
    start = point.linearisation
    ratio = GAMMA * dt / len(flow.y)
    stiffness = ratio * point.curvature.amax(dim=-1) * start.kernel_trace()
    stiff = torch.nonzero(~(stiffness < _STIFF)).squeeze(-1)
    all_stiff = len(stiff) == len(dt)
    q1, q2 = point.force, torch.zeros_like(point.force)
    if len(stiff):
        part = point if all_stiff else point.select(stiff)
        resolvent = _Resolvent(part, ratio if all_stiff else ratio[stiff])
        implicit = part.force - resolvent.implicit_part(resolvent.kernel_product(part.force))
        q1 = implicit if all_stiff else q1.index_copy(0, stiff, implicit)

    # k1 = J^T q1 and k2 = g - J^T (q2 + 2 q1), g the gradient at the second stage
    first_order = dt.unsqueeze(-1) * q1
    stage = flow(start.add_pullback(weights, first_order))
    g = stage.weight_velocity()
    if len(stiff):
        forward = part.linearisation.pushforward(g if all_stiff else [v[stiff] for v in g])
        implicit = resolvent.implicit_part(forward - 2.0 * resolvent.kernel_product(implicit))
        q2 = implicit if all_stiff else q2.index_copy(0, stiff, implicit)
    half = 0.5 * dt
    new = start.add_pullback(weights, half.unsqueeze(-1) * (q1 - q2))
    half = half.view(-1, 1, 1)
    new = [torch.addcmul(w, v, half, out=w) for w, v in zip(new, g, strict=True)]
    end = flow(new)
    error = end.output - stage.output
    return RosenbrockProposal(new, end, error, evaluations=2, first_order=first_order)


class Parabola(StraightPrediction):
    """Dense output: weights at a step's start, of first order (``start`` + dt k1), and at its end."""

    continuous = True

    def __init__(self, start: Weights, stage: Weights, end: Weights) -> None:
        self.parts = start, stage, end

    def weights_at(self, share: Tensor) -> Weights:
        """See `simulate.integrators.protocol.DenseOutput`."""
        share = share.view(-1, 1, 1)
        return [w + share * (s - w) + share**2 * (n - s) for w, s, n in zip(*self.parts, strict=True)]

    def select(self, index: Tensor) -> Parabola:
        """See `simulate.integrators.protocol.DenseOutput`."""
        start, stage, end = ([w[index] for w in part] for part in self.parts)
        return Parabola(start, stage, end)


class _Resolvent:
    """(1 + s J^T D J/n)^-1 at one point, for ``ratio`` = s/n of shape (members,)."""

    def __init__(self, point: Point, ratio: Tensor) -> None:
        self.theta = point.linearisation.kernel()
        self.ratio = ratio.unsqueeze(-1)
        self.root = point.curvature.sqrt()
        matrix = self.theta * self.root.unsqueeze(-1)
        matrix.mul_((self.root * self.ratio).unsqueeze(-2))  # symmetric: the ratio is one number a member
        matrix.diagonal(dim1=-2, dim2=-1).add_(1.0)
        self.factor, _ = torch.linalg.cholesky_ex(matrix)

    def implicit_part(self, v: Tensor) -> Tensor:
        """Return (s/n) S C^-1 S v: what the implicit solve takes away from v."""
        solved = torch.cholesky_solve((self.root * v).unsqueeze(-1), self.factor).squeeze(-1)
        return self.ratio * self.root * solved

    def kernel_product(self, q: Tensor) -> Tensor:
        """Return Theta q."""
        return ntk.product(self.theta, q)
