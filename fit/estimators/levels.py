"""The mean over levels that were chosen, such as the widths of an experiment at which two regimes are compared.

A level is no draw from a population: another experiment at these widths has the same ones, and only its seeds are
others. The mean m = (1/W) sum_w m_w over W levels therefore has the variance

    (1/W²) sum_w s_w²/n_w,

without the scatter between levels, with Welch's degrees of freedom (a stratified mean: Cochran, Sampling Techniques,
3rd edition, 1977, sections 5.3 and 5.4). Powers which should be the same at all widths are another matter: there a
difference between widths is an error of the law (`fit.estimators.clusters`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fit.estimators.estimate import Estimate
from fit.estimators.preliminary import PRELIMINARY_LEVEL, equal_means_test, rounded_to_zero


def mean_over_levels(values: NDArray, level: NDArray) -> Estimate | None:
    """Mean of one value a network over fixed levels, each of which counts the same.

    Parameters
    ----------
    values : ndarray of shape (n,)
        NaN is left out; so is a level with a single value, whose scatter is not known.
    level : ndarray of shape (n,)
        The level (the width) that each value belongs to.

    Returns
    -------
    Estimate or None
        None where no level has two values. A note says so where the levels differ by more than chance, p < 0.02 in
        Welch's test: the mean is then one over these levels, and not the value at each of them.

    Examples
    --------
    >>> estimate = mean_over_levels(np.array([1.0, 1.2, 3.0, 3.2]), np.array([32, 32, 64, 64]))
    >>> round(estimate.value, 3), round(estimate.standard_error, 3), round(estimate.dof, 3)
    (2.1, 0.071, 2.0)
    """
    present = np.isfinite(values)
    sample, labels = values[present], np.asarray(level)[present]
    names, count = np.unique(labels, return_counts=True)
    samples = [sample[labels == name] for name in names[count > 1]]
    if not samples:
        return None
    errors = [rounded_to_zero(one.std(ddof=1) / np.sqrt(len(one)), one) for one in samples]
    variances = (np.array(errors) / len(samples)) ** 2
    freedoms = np.array([len(one) - 1.0 for one in samples])
    variance = variances.sum()
    dof = freedoms.sum() if variance == 0 else variance**2 / np.sum(variances**2 / freedoms)
    _, p_same = equal_means_test(sample, labels)
    note = f"the values differ between the widths by more than their noise (p = {p_same:.1g}); this is their mean"
    used = sum(len(one) for one in samples)
    return Estimate(
        value=float(np.mean([one.mean() for one in samples])),
        standard_error=float(np.sqrt(variance)),
        dof=float(dof),
        n_points=used,
        n_clusters=used,
        notes=(note,) if p_same < PRELIMINARY_LEVEL else (),
    )
