"""Comparisons of the same networks under two conditions: regimes, architectures, arms.

Networks of equal width and seed share their initial weights, whatever the amplitude or the arm, so that differences are
taken pair by pair and what a pair has in common drops out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.estimators.levels import mean_over_levels
from lazyrich.errors import InputError


def paired(a: ArrayLike, b: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Estimate the mean of a - b over pairs.

    Parameters
    ----------
    a, b : array_like of shape (n,)
        The two conditions, pair by pair; a pair with a NaN is left out.
    group : array_like of shape (n,), optional
        The width, say: groups are fixed levels, each counts the same in the mean, and the error is that of the pairs
        in each of them (`fit.estimators.levels`). A group with a single complete pair is left out.

    Returns
    -------
    Estimate
        With Student's interval over the pairs that are complete; its ``notes`` say where the difference changes between
        groups by more than chance.

    Raises
    ------
    InputError
        For arrays of different lengths, and for fewer than two complete pairs (in one group, where there are groups).

    Examples
    --------
    >>> paired([1.0, 2.0, 3.0], [0.9, 1.9, 2.9]).value.__round__(3)
    0.1
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError("b", second.shape, "pairs need two one-dimensional arrays of equal length", "Flatten them")
    labels = None if group is None else np.asarray(group)
    if labels is not None and labels.shape != first.shape:
        raise InputError("group", labels.shape, "every pair belongs to a group", "Give one label a pair")
    difference = first - second
    estimate = mean_over(difference) if labels is None else mean_over_levels(difference, labels)
    if estimate is None:
        complete = int(np.isfinite(difference).sum())
        where = "" if labels is None else " in any group"
        problem = f"fewer than two pairs are complete{where}"
        raise InputError("a", complete, problem, "Measure more seeds under both conditions")
    return estimate


def plus(a: Estimate, b: Estimate, factor: float = 1.0) -> Estimate:
    """a + factor·b of independent estimates, with Welch's degrees of freedom."""
    parts = [(a.standard_error**2, a.dof), ((factor * b.standard_error) ** 2, b.dof)]
    variance = sum(part for part, _ in parts)
    spread = sum(part**2 / dof for part, dof in parts if part > 0)
    dof = variance**2 / spread if spread else a.dof
    return Estimate(a.value + factor * b.value, float(np.sqrt(variance)), dof, n_clusters=a.n_clusters)
