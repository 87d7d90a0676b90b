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
    value, descent, curvature : callable
        l(u), -l'(u), l''(u) >= 0, elementwise on tensors of any shape.
    progress : callable
        Maps margins of shape (members, n_train) to (members,): negative before the stopping criterion is met, zero
        or positive after it.
    stop : str
        The criterion in words.
    shared : callable, optional
        -l'(u) and l''(u) together, where they have a part in common that takes time.
    """

    value: Callable[[Tensor], Tensor]
    descent: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor]
    progress: Callable[[Tensor], Tensor]
    stop: str
    shared: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None

    def slope(self, u: Tensor) -> Tensor:
        """Return l'(u)."""
        return -self.descent(u)

    def descent_and_curvature(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return -l'(u) and l''(u), in new tensors."""
        return (self.descent(u), self.curvature(u)) if self.shared is None else self.shared(u)


def _reach_margin(u: Tensor) -> Tensor:
    return u.amin(dim=-1) - 1.0


def _reach_loss(value: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    # in decades of the loss, so that the event function is nearly linear in time when the loss decays exponentially
    return lambda u: math.log(1e-3) - torch.log(value(u).mean(dim=-1).clamp_min(1e-30))  # a hinge's can be zero


# 1.0 - u is a call through Python, which takes as long as three operations on the margins of a small network: not used
def _softhinge_descent(u: Tensor) -> Tensor:
    return torch.rsub(u, SOFTHINGE_BETA, alpha=SOFTHINGE_BETA).sigmoid_()


def _softhinge_shared(u: Tensor) -> tuple[Tensor, Tensor]:
    s = _softhinge_descent(u)
    return s, torch.addcmul(s, s, s, value=-1.0).mul_(SOFTHINGE_BETA)


def _softhinge_curvature(u: Tensor) -> Tensor:
    return _softhinge_shared(u)[1]


def _logistic_descent(u: Tensor) -> Tensor:
    return torch.sigmoid(-u)


def _logistic_shared(u: Tensor) -> tuple[Tensor, Tensor]:
    s = _logistic_descent(u)
    return s, torch.addcmul(s, s, s, value=-1.0)


def _logistic_curvature(u: Tensor) -> Tensor:
    return _logistic_shared(u)[1]


def _square(u: Tensor) -> Tensor:
    return (1.0 - u) ** 2


def _quadratic_hinge(u: Tensor) -> Tensor:
    return torch.relu(1.0 - u) ** 2


_MARGIN = "every training margin F·y is at least 1"
_SMALL = "the mean training loss is below 1e-3"

LOSSES: dict[str, Loss] = {
    "hinge": Loss(
        value=lambda u: torch.relu(1.0 - u),
        descent=lambda u: (u < 1.0).to(u.dtype),
        curvature=torch.zeros_like,
        progress=_reach_margin,
        stop=_MARGIN,
    ),
    "softhinge": Loss(
        value=lambda u: softplus(1.0 - u, beta=SOFTHINGE_BETA, threshold=_LINEAR),
        descent=_softhinge_descent,
        curvature=_softhinge_curvature,
        progress=_reach_margin,
        stop=_MARGIN,
        shared=_softhinge_shared,
    ),
    "logistic": Loss(
        value=lambda u: softplus(-u, threshold=_LINEAR),
        descent=_logistic_descent,
        curvature=_logistic_curvature,
        progress=_reach_margin,
        stop=_MARGIN,
        shared=_logistic_shared,
    ),
    "square": Loss(
        value=_square,
        descent=lambda u: torch.rsub(u, 2.0, alpha=2.0),
        curvature=lambda u: torch.full_like(u, 2.0),
        progress=_reach_loss(_square),
        stop=_SMALL,
    ),
    "quadratic_hinge": Loss(
        value=_quadratic_hinge,
        descent=lambda u: 2.0 * torch.relu(1.0 - u),
        curvature=lambda u: 2.0 * (u < 1.0).to(u.dtype),
        progress=_reach_loss(_quadratic_hinge),
        stop=_SMALL,
    ),
}
