"""Losses l(u) of the margin u = F·y, with the two derivatives that gradient flow and Gauss-Newton need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

_LINEAR = 40.0  # beyond, softplus(x) = x + exp(-x) is x to rounding; log(1 + exp(x)) overflows at 710
SOFTHINGE_BETA = 20.0  # lossbeta of the published runs (branch `article` of feature_lazy)


@dataclass(frozen=True)
class Loss:
    """A convex loss of the margin.

    Parameters
    ----------
    value, slope, curvature : callable
        l(u), l'(u), l''(u) >= 0, elementwise on tensors of any shape.
    progress : callable
        Maps margins of shape (members, n_train) to (members,): negative before the stopping criterion is met, zero
        or positive after it.
    stop : str
        The criterion in words.
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor]
    progress: Callable[[Tensor], Tensor]
    stop: str


def _reach_margin(u: Tensor) -> Tensor:
    return u.amin(dim=-1) - 1.0


def _reach_loss(value: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    # in decades of the loss, so that the event function is nearly linear in time when the loss decays exponentially
    return lambda u: math.log(1e-3) - torch.log(value(u).mean(dim=-1).clamp_min(1e-30))  # a hinge's can be zero


# 1.0 - u is a call through Python, which takes as long as three operations on the margins of a small network: not used
def _softhinge_slope(u: Tensor) -> Tensor:
    return -torch.sigmoid(torch.rsub(u, SOFTHINGE_BETA, alpha=SOFTHINGE_BETA))


def _softhinge_curvature(u: Tensor) -> Tensor:
    s = torch.sigmoid(torch.rsub(u, SOFTHINGE_BETA, alpha=SOFTHINGE_BETA))
    return torch.addcmul(s, s, s, value=-1.0) * SOFTHINGE_BETA


def _logistic_curvature(u: Tensor) -> Tensor:
    s = torch.sigmoid(u)
    return torch.addcmul(s, s, s, value=-1.0)


def _square(u: Tensor) -> Tensor:
    return (1.0 - u) ** 2


def _quadratic_hinge(u: Tensor) -> Tensor:
    return torch.relu(1.0 - u) ** 2


_MARGIN = "every training margin F·y is at least 1"
_SMALL = "the mean training loss is below 1e-3"

LOSSES: dict[str, Loss] = {
    "hinge": Loss(
        value=lambda u: torch.relu(1.0 - u),
        slope=lambda u: -(u < 1.0).to(u.dtype),
        curvature=torch.zeros_like,
        progress=_reach_margin,
        stop=_MARGIN,
    ),
    "softhinge": Loss(
        value=lambda u: softplus(1.0 - u, beta=SOFTHINGE_BETA, threshold=_LINEAR),
        slope=_softhinge_slope,
        curvature=_softhinge_curvature,
        progress=_reach_margin,
        stop=_MARGIN,
    ),
    "logistic": Loss(
        value=lambda u: softplus(-u, threshold=_LINEAR),
        slope=lambda u: -torch.sigmoid(-u),
        curvature=_logistic_curvature,
        progress=_reach_margin,
        stop=_MARGIN,
    ),
    "square": Loss(
        value=_square,
        slope=lambda u: -2.0 * (1.0 - u),
        curvature=lambda u: torch.full_like(u, 2.0),
        progress=_reach_loss(_square),
        stop=_SMALL,
    ),
    "quadratic_hinge": Loss(
        value=_quadratic_hinge,
        slope=lambda u: -2.0 * torch.relu(1.0 - u),
        curvature=lambda u: 2.0 * (u < 1.0).to(u.dtype),
        progress=_reach_loss(_quadratic_hinge),
        stop=_SMALL,
    ),
}
