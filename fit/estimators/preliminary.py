"""Tests that come before an interval: do groups agree, does a straight line fit; and what their answer costs.

Scatter between groups enters the error of what is estimated from all values as soon as it is seen (F > 1); where it is
significant, the groups' means are the values.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc
from statsmodels.stats.oneway import anova_oneway

#: Below this p-value of a preliminary test (slopes drift with the width; a straight line does not fit) the widths are
#: the independent units.
PRELIMINARY_LEVEL = 0.02
#: Degrees of freedom of a mean over two groups that agree.
FREEDOM_OF_TWO = 2.0
#: Exponents that differ by less agree: the difference is rounding, no scatter to test.
ROUNDING = 1e-9


def scatter_of_groups(f: float, labels: NDArray) -> tuple[float, float]:
    """Return what scatter between groups, of the statistic ``f``, does to the standard error of a mean of all values.

    Where groups scatter by more than the values in them explain, f > 1, that scatter is a part of the error, which is
    sqrt(f) times as large (Birge's ratio) and known as well as there are groups. Whether a test sees it does not
    matter: scaled only where p < 0.2, on all values' degrees of freedom, intervals of three widths covered 86 to 90 %.

    Two groups that agree say little about their scatter, since they do so by chance in a third of the cases where it is
    twice the error of either. With all values' degrees of freedom such intervals cover 87 to 93 % (scatter of one to
    ten errors, 5 to 40 values a group), with two they cover 94 to 99.7 %.

    Returns
    -------
    (scale, most_freedom) : (float, float)
        The factor of the standard error, and the most degrees of freedom that it has.
    """
    groups = len(np.unique(labels))
    if f > 1:
        return math.sqrt(f), groups - 1.0
    return 1.0, FREEDOM_OF_TWO if groups == 2 else math.inf


def straightness_test(line, values: NDArray, group: NDArray) -> tuple[float, float]:
    """F and p-value of the test that group means lie on the fitted ``line``; (0, 1) where it can't be made."""
    groups = group.max() + 1
    if groups < 3 or len(values) <= groups:
        return 0.0, 1.0
    means = np.bincount(group, values) / np.bincount(group)
    within = float(np.sum((values - means[group]) ** 2))
    if within <= ROUNDING**2:
        return 0.0, 1.0
    # the F test of the line against one mean a group
    freedom = len(values) - groups
    f = max(float(line.ssr) - within, 0.0) / (line.df_resid - freedom) / (within / freedom)
    return f, float(fdtrc(line.df_resid - freedom, freedom, f))


def equal_means_test(values: NDArray, labels: NDArray) -> tuple[float, float]:
    """F and p-value of Welch's test that all groups have the same mean; (0, 1) where it can't be made."""
    names, count = np.unique(labels, return_counts=True)
    samples = [values[labels == name] for name in names[count > 1]]
    if len(samples) < 2 or min(np.ptp(sample) for sample in samples) < ROUNDING:
        return 0.0, 1.0
    result = anova_oneway(samples, use_var="unequal")
    return float(result.statistic), float(result.pvalue)


def rounded_to_zero(error: float, values: NDArray) -> float:
    """Return the standard error, or 0 where all ``values`` are the same up to rounding."""
    return float(error) if np.ptp(values) > ROUNDING else 0.0
