"""How far values that are missing *for their size* could have moved a power of h.

Networks that never fit are not missing at random. If the scatter at a width is normal and its largest (or smallest)
fraction f is lost, the mean of what is left lies lambda = phi(z)/(1 - f) standard deviations off, z the quantile of
1 - f, and what is left has the variance 1 - z lambda - lambda² (Johnson, Kotz, Balakrishnan, Continuous Univariate
Distributions 1, 1994, section 13.10.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

ROOT_TWO_PI = np.sqrt(2 * np.pi)


def shift_of_mean(fraction: float) -> float:
    """Return how far a mean is off where the largest ``fraction`` of normal values is lost.

    In standard deviations of the values that are left: 0.46 for a fifth, 1.32 for a half.
    """
    if fraction <= 0:
        return 0.0
    z = float(ndtri(1 - fraction))
    shift = float(np.exp(-(z**2) / 2)) / ROOT_TWO_PI / (1 - fraction)
    return float(shift / np.sqrt(1 - z * shift - shift**2))


def largest_shift_of_slope(x: NDArray, value: NDArray, lost: NDArray) -> float:
    """Return by how much the least-squares slope of ``value`` on ``x`` is off in the worst case.

    At each abscissa the lost values are the largest or the smallest, whichever tilts the line more.

    Parameters
    ----------
    x, value : ndarray of shape (n,)
        A few distinct abscissas, such as log h, with several values each; NaN in ``value`` where there is none.
    lost : ndarray of bool, shape (n,)
        Which of the values that are not there belong to networks that were trained: their size may be why.

    Returns
    -------
    float
        0 where nothing is lost, or fewer than two abscissas are left.
    """
    present = np.isfinite(value)
    lost = lost & ~present
    abscissas = np.unique(x[present])
    if not lost.any() or len(abscissas) < 2:
        return 0.0
    centre = x[present].mean()
    total = np.sum((x[present] - centre) ** 2)
    # one value alone has no scatter of its own: that of all values about their means stands for it
    samples = [value[present & (x == abscissa)] for abscissa in abscissas]
    freedom = sum(len(sample) - 1 for sample in samples)
    pooled = np.sqrt(sum(np.sum((sample - sample.mean()) ** 2) for sample in samples) / freedom) if freedom else 0.0
    shift = 0.0
    for abscissa, sample in zip(abscissas, samples, strict=True):
        missing = int(lost[x == abscissa].sum())
        scatter = sample.std(ddof=1) if len(sample) > 1 else pooled
        weight = abs(len(sample) * (abscissa - centre) / total)  # of the mean at this abscissa
        shift += float(weight * scatter * shift_of_mean(missing / (missing + len(sample))))
    return shift
