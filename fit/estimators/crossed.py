"""A mean over two crossed random factors: draws of the training points, each trained from the same initial weights.

Of draw d and initial weights s, y_ds = mu + D_d + W_s + E_ds, with independent parts of variances s_D², s_W², s_E². The
mean of D × S values has the variance

    s_D²/D + s_W²/S + s_E²/(D S),

estimated by mean squares (Searle, Casella, McCulloch, Variance Components, 1992, section 4.7): with
MS_D = S sum (y_d. - y..)²/(D-1), MS_W = D sum (y_.s - y..)²/(S-1) and MS_E of the residuals on (D-1)(S-1), the
parts are max(MS_D - MS_E, 0)/(D S), max(MS_W - MS_E, 0)/(D S) and MS_E/(D S). An interval over draws alone leaves
out s_W²/S, since all draws share their initial weights: it covers .87 with ten draws of ten seeds and equal parts.

Several widths are fixed levels (`fit.estimators.levels`): each counts the same in the mean, MS_W and MS_E are those
about the means of each width, with a degree of freedom less a width, and 1/S becomes sum_w 1/(W² S_w).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtridf, stdtrit

from fit.estimators.estimate import Estimate
from fit.estimators.preliminary import ROUNDING

#: Fewer draws than this give no verdict: with two, Student's factor is 12.7.
MIN_DRAWS = 3


@dataclass(frozen=True)
class Components:
    """Standard deviations of the parts of one value in a crossed design, and how many levels each factor has."""

    draws: float  #: between draws of the training points
    weights: float  #: between initial weights
    residual: float  #: of one network about the sum of both
    n_draws: int
    n_weights: int


def crossed_mean(values: NDArray, level: NDArray | None = None) -> tuple[Estimate, Components] | None:
    """Estimate the mean over draws and initial weights at once.

    Parameters
    ----------
    values : ndarray of shape (draws, weights)
        One value a network; NaN where there is none. Draws without any value, then initial weights that lack one in
        some draw, are left out.
    level : ndarray of shape (weights,), optional
        The fixed level (the width) that each column belongs to; one with a single column is left out, as its scatter
        is not known.

    Returns
    -------
    (Estimate, Components) or None
        None where fewer than two draws, or no two initial weights at one level, are left.

    Examples
    --------
    >>> estimate, parts = crossed_mean(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0]]))
    >>> round(estimate.value, 3), round(parts.draws, 3), round(parts.weights, 3), round(parts.residual, 3)
    (3.333, 1.528, 1.0, 0.0)
    """
    sample = values[np.isfinite(values).any(axis=1)]
    labels = np.zeros(values.shape[1]) if level is None else np.asarray(level)
    complete = np.isfinite(sample).all(axis=0)
    names, count = np.unique(labels[complete], return_counts=True)
    columns = complete & np.isin(labels, names[count > 1])
    sample, labels = sample[:, columns], labels[columns]
    draws, weights = sample.shape
    if draws < 2 or weights < 2:
        return None
    _, member, count = np.unique(labels, return_inverse=True, return_counts=True)
    levels = len(count)
    share = (1 / (levels * count))[member]  # of each column in the mean
    of_levels = np.stack([sample[:, member == i].mean(axis=1) for i in range(levels)], axis=1)
    of_draws, of_weights = sample @ share, sample.mean(axis=0)
    mean = of_draws.mean()
    about_levels = of_weights - of_levels.mean(axis=0)[member]
    residuals = sample - of_levels[:, member] - about_levels
    freedoms = (draws - 1, weights - levels, (draws - 1) * (weights - levels))
    fraction = float(share @ share)  # 1/S of balanced columns
    square_draws = np.sum((of_draws - mean) ** 2) / fraction / freedoms[0]
    square_weights = draws * np.sum(about_levels**2) / freedoms[1]
    square_residual = np.sum(residuals**2) / freedoms[2]
    excess_draws = max(square_draws - square_residual, 0.0)
    excess_weights = max(square_weights - square_residual, 0.0)
    parts = np.array([excess_draws, excess_weights, square_residual]) * fraction / draws
    squares = np.array([square_draws, square_weights, square_residual]) * fraction / draws
    within = sample - of_levels.mean(axis=0)[member]
    error = 0.0 if np.ptp(within) <= ROUNDING else math.sqrt(parts.sum())
    estimate = Estimate(
        value=float(mean),
        standard_error=error,
        dof=_freedom(parts, squares, freedoms),
        n_points=sample.size,
        n_clusters=draws,
    )
    components = Components(
        math.sqrt(excess_draws * fraction),
        math.sqrt(excess_weights / draws),
        math.sqrt(square_residual),
        draws,
        weights,
    )
    return estimate, components


def crossed_estimate(of_draws: Sequence[Estimate], pooled: Estimate) -> Estimate | None:
    """Give an estimate from values averaged over draws the error of the whole crossed design.

    For statistics that are not means, such as a fitted power. ``pooled`` has the error between initial weights, V_W:
    its variance is s_W²/S + s_E²/(D S). Estimates on one draw each have s_W²/S + s_E²/S, which gives the residual's
    part, and their scatter is s_D² + s_E²/S, since the initial weights are common to all.

    Parameters
    ----------
    of_draws : sequence of Estimate
        One a draw, over the same initial weights.
    pooled : Estimate
        From each network's value averaged over the draws.

    Returns
    -------
    Estimate or None
        ``pooled`` with another error; None with fewer than two draws.
    """
    draws = len(of_draws)
    if draws < 2:
        return None
    between = float(np.var([estimate.value for estimate in of_draws], ddof=1)) / draws
    within = float(np.mean([estimate.standard_error**2 for estimate in of_draws]))
    residual = min(max((within - pooled.standard_error**2) / (draws - 1), 0.0), pooled.standard_error**2)
    squares = np.array([between, pooled.standard_error**2, residual])
    parts = np.array([max(between - residual, 0.0), pooled.standard_error**2 - residual, residual])
    freedoms = (draws - 1, pooled.dof, (draws - 1) * pooled.dof)
    return Estimate(
        value=pooled.value,
        standard_error=math.sqrt(parts.sum()),
        dof=_freedom(parts, squares, freedoms),
        prefactor=pooled.prefactor,
        n_points=pooled.n_points,
        n_clusters=draws,
        notes=pooled.notes,
    )


def _freedom(parts: NDArray, squares: NDArray, freedoms: Sequence[float]) -> float:
    """Return degrees of freedom for the sum of three ``parts`` of a variance.

    Satterthwaite's interval is too short where a part with two degrees of freedom and one with many are alike (three
    draws of twenty seeds: it covers .926), and the one with half-width² = sum t_i² V_i (Welch 1937, Cochran 1964) too
    long (.964): the mean of both half-widths covers .950.
    """
    total = parts.sum()
    if total <= 0:
        return float(freedoms[0])
    freedom = np.array(freedoms, dtype=float)
    used = parts > 0
    satterthwaite = total**2 / np.sum((squares**2 / freedom)[used])
    factors = stdtrit(freedom, 0.975)
    half_width = (stdtrit(satterthwaite, 0.975) + math.sqrt(np.sum(factors**2 * parts) / total)) / 2
    return float(np.clip(stdtridf(0.975, half_width), freedom.min(), freedom.max() * 2))
