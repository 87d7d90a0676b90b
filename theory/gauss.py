"""Means over a standard normal variable of functions with kinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

_EDGE = 38.0  # beyond, exp(-z²/2) is below the smallest float64
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def gaussian_mean(
    function: Callable[[np.ndarray], np.ndarray], kinks: Sequence[float] = (), accuracy: float = 1e-13
) -> float:
    """Return E[function(z)], z ~ N(0, 1), by Gauss-Legendre on panels that end at the kinks.

    Panels are halved until the mean moves by less than ``accuracy`` of itself, at most ten times; the result is
    infinite or NaN where the function is.
    """
    inside = [k for k in kinks if -_EDGE < k < _EDGE]
    previous = np.nan
    for level in range(11):
        edges = np.unique(np.concatenate([np.linspace(-_EDGE, _EDGE, 76 * 2**level + 1), inside]))
        half = 0.5 * np.diff(edges)
        z = (edges[:-1] + half)[:, None] + half[:, None] * _NODES
        with np.errstate(all="ignore"):
            density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
            mean = float(np.sum(function(z) * density * _WEIGHTS * half[:, None]))
        if not np.isfinite(mean) or abs(mean - previous) <= accuracy * abs(mean):
            break
        previous = mean
    return mean
