"""Duals of activations whose only kink is at zero, for points of many norms: a Chebyshev series in angle and norms.

At one correlation c, E[f(s_i x) f(s_j y)] for all pairs of standard deviations is F W P W F^T: F holds f at nodes of
one rule, W its weights, and P the density of y given x, a band of width sqrt(1 - c²). Kinks at zero lie at the same
place for every norm, so that one rule serves all of them, and the duals are analytic in the angle and in the logarithms
of the norms, parallel points included: their series end exponentially.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import chebyshev

from theory.kernels.rules import Function, Rule, banded_means

_ANGLES = (33, 65, 129, 257)  #: each grid holds the one before
_NORMS = (12, 24, 48)
_RESOLVED = 3e-11  #: of the last terms of the series, beside correlations that are at most 1


class NormTable:
    """Correlations of f(u) and f(v) for several f, at norms in [low, high] and any angle (see `tabulate_norms`)."""

    def __init__(self, low: float, high: float, series: np.ndarray) -> None:
        self._low, self._high = np.log(low), np.log(high)
        self.series = series  #: shape (functions, norms, norms, angles)

    def __call__(self, sigma_1: np.ndarray, sigma_2: np.ndarray, correlation: np.ndarray) -> np.ndarray:
        """Return the table at norms of shapes (n,) and (m,) and correlations (n, m): (functions, n, m)."""
        angle = np.arccos(correlation) * (2.0 / np.pi) - 1.0
        left, right = (self._basis(sigma) for sigma in (sigma_1, sigma_2))
        series = np.einsum("na,kabl,mb->klnm", left, self.series, right, optimize=True)
        return np.array([chebyshev.chebval(angle, row, tensor=False) for row in series])

    def _basis(self, sigma: np.ndarray) -> np.ndarray:
        nodes = 2.0 * (np.log(sigma) - self._low) / (self._high - self._low) - 1.0
        return chebyshev.chebvander(np.clip(nodes, -1.0, 1.0), self.series.shape[1] - 1)


def tabulate_norms(functions: Sequence[Function], edges: np.ndarray, low: float, high: float) -> NormTable | None:
    """Return a table whose series have ended, or None if 48 norms or 257 angles do not hold it.

    Parameters
    ----------
    functions : sequence of callables
        Each takes and returns float64 arrays; they are smooth but for a kink at zero.
    edges : array
        Panels on which polynomials of degree 15 carry f(high·x), zero among the edges, in standard deviations.
    low, high : float
        Smallest and largest standard deviation, positive and different.
    """
    for norms in _NORMS:
        nodes = chebyshev.chebpts1(norms)
        sigma = np.exp(np.log(low) + 0.5 * (nodes + 1.0) * np.log(high / low))
        in_norms = np.linalg.inv(chebyshev.chebvander(nodes, norms - 1))
        values: dict[float, np.ndarray] = {}
        for angles in _ANGLES:
            points = chebyshev.chebpts2(angles)
            for point in points:
                if float(point) not in values:
                    cosine = np.cos(0.5 * np.pi * (point + 1.0))
                    values[float(point)] = means_of_norms(functions, edges, sigma, float(cosine))
            series = _series(np.stack([values[float(p)] for p in points], axis=-1), values[-1.0], points, in_norms)
            if np.max(np.abs(series[:, -2:])) > _RESOLVED:
                break  # more norms are needed, whatever the angles
            if np.max(np.abs(series[..., -4:])) <= _RESOLVED:
                return NormTable(low, high, series)
    return None


def _series(means: np.ndarray, parallel: np.ndarray, points: np.ndarray, in_norms: np.ndarray) -> np.ndarray:
    """The Chebyshev coefficients of the correlations, from means (functions, norms, norms, angles)."""
    roots = np.sqrt(np.diagonal(parallel, axis1=1, axis2=2))
    scale = roots[:, :, None] * roots[:, None, :]
    values = np.divide(means, scale[..., None], out=np.zeros_like(means), where=scale[..., None] > 0.0)
    in_angle = np.linalg.inv(chebyshev.chebvander(points, len(points) - 1))
    return np.einsum("ai,bj,kijm,lm->kabl", in_norms, in_norms, values, in_angle, optimize=True)


def means_of_norms(
    functions: Sequence[Function], edges: np.ndarray, sigma: np.ndarray, correlation: float
) -> np.ndarray:
    """Return E[f(s_i x) f(s_j y)] for x, y ~ N(0, 1) of one correlation: shape (functions, norms, norms)."""
    width = np.sqrt((1.0 - correlation) * (1.0 + correlation))
    if width < 1e-12:
        rule = Rule.throughout(edges, 1.0)
        x = sigma[:, None] * rule.nodes
        parallel = np.copysign(1.0, correlation) * x
        return np.array([(f(x) * rule.normal_weights) @ f(parallel).T for f in functions])
    rule = Rule.throughout(edges, width)
    values = [f(sigma[:, None] * rule.nodes) for f in functions]
    means = banded_means(rule, rule, values, values, correlation)
    return 0.5 * (means + means.transpose(0, 2, 1))
