"""Losses l(u) of the margin u = F·y on which the parameter-free curves can be trained, and when training stops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lazyrich.errors import InputError

SOFTHINGE_BETA = 20.0  # of the published runs (arXiv:1906.08034)
SMALL_LOSS = 1e-3  #: the square loss stops at this mean
Elementwise = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class MarginLoss:
    """A convex loss of the margin.

    Attributes
    ----------
    value, slope, curvature : callable
        l(u), l'(u), l''(u) >= 0, elementwise on float64 arrays.
    progress : callable
        Maps the margins of the training set, shape (n,), to a number: negative before the stop, zero at it.
    stop : str
        The stopping criterion in words.
    """

    value: Elementwise
    slope: Elementwise
    curvature: Elementwise
    progress: Callable[[np.ndarray], float]
    stop: str


def _sigmoid_product(u: np.ndarray) -> np.ndarray:
    s = expit(SOFTHINGE_BETA * (1.0 - u))
    return SOFTHINGE_BETA * s * (1.0 - s)


LOSSES: dict[str, MarginLoss] = {
    "softhinge": MarginLoss(
        value=lambda u: np.logaddexp(0.0, SOFTHINGE_BETA * (1.0 - u)) / SOFTHINGE_BETA,
        slope=lambda u: -expit(SOFTHINGE_BETA * (1.0 - u)),
        curvature=_sigmoid_product,
        progress=lambda u: float(np.min(u)) - 1.0,
        stop="every training margin F·y is at least 1",
    ),
    "square": MarginLoss(
        value=lambda u: (1.0 - u) ** 2,
        slope=lambda u: -2.0 * (1.0 - u),
        curvature=lambda u: np.full_like(u, 2.0),
        # a logarithm, so that it is nearly linear in time while the loss decays exponentially
        progress=lambda u: math.log(SMALL_LOSS) - math.log(max(float(np.mean((1.0 - u) ** 2)), 1e-300)),
        stop="the mean training loss is at most 1e-3",
    ),
}


def margin_loss(name: str) -> MarginLoss:
    """Return a loss by its name.

    Raises
    ------
    InputError
        If there is no such loss.

    Examples
    --------
    >>> float(margin_loss("square").value(0.5))
    0.25
    """
    if name not in LOSSES:
        raise InputError("loss", name, "the curves are not computed for it", f"Choose one of {', '.join(LOSSES)}")
    return LOSSES[name]
