r"""How well curves of several sizes fall on one: the quality S of Houdayer & Hartmann.

Phys. Rev. B 70 (2004) 014418, appendix. Each point (X, y) of one size is compared with the straight line through the
points of all other sizes that enclose X,

    S = mean over points of (y - Y)² / (dy² + dY²),

Y and dY the value of that weighted least-squares line and its error. Points that no other size encloses do not count.

For given abscissas and errors y - Y is linear in y: one matrix for each nu serves all redraws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fit.estimators.collapse_curves import CollapseCurves, Redraws

#: S is not formed at a nu for which fewer than this fraction of the points are enclosed by points of another size.
MIN_OVERLAP = 0.5


@dataclass(frozen=True)
class Comparison:
    """What S needs at one nu, whatever the levels y.

    ``deviation``, (n_compared, points), turns levels into (y - Y)/sqrt(dy² + dY²), one row a point that others enclose.
    """

    deviation: NDArray

    @property
    def n_compared(self) -> int:
        """How many points other sizes enclose."""
        return len(self.deviation)


def comparisons(curves: CollapseCurves, nus: NDArray) -> list[Comparison]:
    """Return what `qualities` needs at each nu."""
    return [_comparison(curves, float(nu)) for nu in nus]


def qualities(curves: CollapseCurves, comparisons: list[Comparison]) -> NDArray:
    """Return S at every nu, shape (1, nu); NaN where too few points are compared."""
    quality = np.full((1, len(comparisons)), np.nan)
    for j, comparison in enumerate(comparisons):
        if comparison.n_compared >= MIN_OVERLAP * len(curves.level):
            quality[0, j] = np.sum((comparison.deviation @ curves.level) ** 2) / comparison.n_compared
    return quality


def redrawn_qualities(curves: CollapseCurves, comparisons: list[Comparison], redraws: Redraws) -> NDArray:
    """Return S for every redraw (r) at every nu, shape (r, nu): a quadratic form in the levels that were redrawn."""
    change = redraws.change
    quality = np.full((len(change), len(comparisons)), np.nan)
    for j, comparison in enumerate(comparisons):
        if comparison.n_compared >= MIN_OVERLAP * len(curves.level):
            unchanged = comparison.deviation @ curves.level
            response = comparison.deviation[:, redraws.points]
            twice = 2 * response.T @ unchanged + change @ (response.T @ response)
            quality[:, j] = (unchanged @ unchanged + np.sum(change * twice, axis=1)) / comparison.n_compared
    return quality


def _comparison(curves: CollapseCurves, nu: float) -> Comparison:
    shift = nu * curves.log_size
    position = curves.abscissa * np.exp(shift) if curves.linear else curves.abscissa + shift
    count, error = len(position), curves.error
    variance = np.ones(count) if error is None else np.maximum(error, 1e-12) ** 2
    # of each point its two neighbours of each other size, where these enclose it; elsewhere itself, without weight
    neighbour = np.repeat(np.arange(count)[:, None], 2 * len(curves.members), axis=1)
    enclosed = np.zeros(neighbour.shape, dtype=bool)
    for i, (members, others) in enumerate(curves.members):
        right = np.searchsorted(position[members], position[others], side="right")
        inside = (right > 0) & (right < len(members))
        rows, right = others[inside], right[inside]
        neighbour[rows, 2 * i], neighbour[rows, 2 * i + 1] = members[right - 1], members[right]
        enclosed[rows, 2 * i : 2 * i + 2] = True
    weight = np.where(enclosed, 1 / variance[neighbour], 0.0)
    x = position[neighbour] - position[:, None]  # from the point itself: Y is the line's intercept
    k0, k1, k2 = weight.sum(1), (weight * x).sum(1), (weight * x**2).sum(1)
    determinant = k0 * k2 - k1**2
    compared = np.flatnonzero(determinant > 1e-12 * k0 * k2)
    line = (
        weight[compared]
        * (k2[compared, None] - k1[compared, None] * x[compared])
        / determinant[compared, None]
    )  # fmt: skip
    total = variance[compared] + (0.0 if error is None else 1.0) * k2[compared] / determinant[compared]
    deviation = np.zeros((len(compared), count))
    rows = np.arange(len(compared))
    deviation[rows, compared] = 1.0
    deviation[rows[:, None], neighbour[compared]] -= line
    return Comparison(deviation / np.sqrt(total)[:, None])
