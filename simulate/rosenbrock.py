r"""A linearly implicit step: the W-method ROS2 with the Gauss-Newton Jacobian, solved in function space.

ROS2 (Verwer, Spee, Blom, Hundsdorfer, SIAM J. Sci. Comput. 20 (1999) 1456), for dw/dt = g(w) and any matrix T,

    (1 - s T) k1 = g(w),    (1 - s T) k2 = g(w + dt k1) - 2 k1,    w_new = w + dt (3 k1 + k2)/2,    s = gamma dt,

is of order 2 whatever T is, and L-stable for gamma = 1 - 1/sqrt(2) when T is the Jacobian. Here T = -J^T D J / n at
the step's start, whose resolvent lives in function space:

    (1 + s J^T D J/n)^-1 v = v - (s/n) J^T S C^-1 S J v,    C = 1 + (s/n) S Theta S,    S = D^(1/2),

one Cholesky factor of an n×n matrix per member and step; no array of size n × (number of weights). The first-order
solution w + dt k1 is embedded; the difference of the two predictors on the training set is the error estimate. It is
taken from two forward passes, not through J, so that it sees kinks and a growth that the linearisation does not.

A W-method of order 3 with four stages (ROS34PW2; Rang, Angermann, BIT Numer. Math. 45 (2005) 761) was tried: at equal
error it takes as many gradients, because T leaves out the part of the Jacobian that makes networks grow when A << 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from simulate.flow import GradientFlow, Point
from simulate.fully_connected import Weights, add_pullback, kernel, pullback, pushforward

GAMMA = 1.0 - 1.0 / math.sqrt(2.0)
ORDER = 2
EVALUATIONS_PER_STEP = 2  #: forward-backward passes over the training set


@dataclass
class Trial:
    """A proposed step: new weights, the flow there, and the estimated error of F on the training set (members, n)."""

    weights: Weights
    point: Point
    error: Tensor


def tangent_kernel(point: Point) -> Tensor:
    """Return Theta at the step's start; it can be kept while a step is tried again with another size."""
    return kernel(point.at)


def step(flow: GradientFlow, weights: Weights, point: Point, theta: Tensor, dt: Tensor) -> Trial:
    """Try one step of size ``dt`` (shape (members,), one for each) from ``weights``, where ``point = flow(weights)``.

    ``theta`` is ``tangent_kernel(point)``. Nothing is changed in place, so a rejected step can be tried again.
    """
    dt = dt.unsqueeze(-1)
    ratio = GAMMA * dt / len(flow.y)
    root = point.curvature.sqrt()
    matrix = root.unsqueeze(-1) * theta * (root * ratio).unsqueeze(-2)  # symmetric: ratio is one number a member
    matrix.diagonal(dim1=-2, dim2=-1).add_(1.0)
    factor, _ = torch.linalg.cholesky_ex(matrix)

    def filtered(v: Tensor) -> Tensor:
        """(s/n) S C^-1 S v: what the implicit solve takes away."""
        return ratio * root * torch.cholesky_solve((root * v).unsqueeze(-1), factor).squeeze(-1)

    def through_kernel(q: Tensor) -> Tensor:
        return torch.bmm(theta, q.unsqueeze(-1)).squeeze(-1)

    # k1 = J^T q1 and k2 = g - J^T (q2 + 2 q1), g the gradient at the second stage
    q1 = point.force - filtered(through_kernel(point.force))
    stage = flow(add_pullback(weights, point.at, dt * q1))
    g = pullback(stage.at, stage.force)
    q2 = filtered(pushforward(point.at, g) - 2.0 * through_kernel(q1))
    half = (0.5 * dt).unsqueeze(-1)
    new = add_pullback(weights, point.at, 0.5 * dt * (q1 - q2))
    new = [torch.addcmul(w, part, half, out=w) for w, part in zip(new, g, strict=True)]
    arrived = flow(new)
    return Trial(new, arrived, arrived.output - stage.output)
