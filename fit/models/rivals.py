"""Which of several laws predicts points better that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from fit.models.checks import held_out_residuals
from fit.models.fitting import Fit, Method, losses, robust_deviation
from fit.models.points import Points
from lazyrich.errors import InputError
from lazyrich.numbers import p_is


@dataclass(frozen=True)
class Rival:
    """A law beside the best of those compared."""

    name: str
    n_parameters: int
    error: float  #: robust standard deviation of the residuals of points held out
    excess: float  #: of the mean held-out loss over the best law's, in units of half the best law's noise squared
    p_value: float  #: that it predicts as well as the best; one for the best
    verdict: str  #: "best", "as good", "worse"

    @property
    def verdict_with_p(self) -> str:
        """The verdict, and p beside it for all but the best: "worse, p = 0.003"."""
        return self.verdict if self.verdict == "best" else f"{self.verdict}, {p_is(self.p_value)}"


def compare(names: Sequence[str], fits: Sequence[Fit], points: Sequence[Points]) -> list[Rival]:
    """Compare laws of one response by ten-fold cross-validation over clusters, the same tenths for all.

    The loss of every held-out point is that of the law with the least scatter; its differences are averaged over
    clusters, and tested by Student's t over the clusters, at 5 %, Bonferroni over the rivals.

    Raises
    ------
    InputError
        If the laws are not about the same points in the same scale.
    """
    first = points[0]
    for name, fit, other in zip(names, fits, points, strict=True):
        same = len(other) == len(first) and np.array_equal(other.response, first.response)
        if not same or fit.method.scale != fits[0].method.scale or not np.array_equal(other.cluster, first.cluster):
            problem = f"it is not about the same points as {names[0]!r}"
            raise InputError("models", name, problem, "Give both the same where, cluster and scale, or two files")
    residuals = [held_out_residuals(fit, p) for fit, p in zip(fits, points, strict=True)]
    reference = min(fits, key=lambda fit: fit.noise)
    method = Method(loss="huber", scale=reference.method.scale, delta=max(1.345 * reference.noise, 1e-300))
    scores = [_by_cluster(losses(np.nan_to_num(r, nan=1e6), method), first) for r in residuals]
    order = sorted(range(len(fits)), key=lambda i: float(np.mean(scores[i])))
    best = order[0]
    unit = reference.noise**2 / 2 or 1.0
    rows = []
    for i in order:
        difference = scores[i] - scores[best]
        p = 1.0 if i == best else _p_value(difference)
        outcome = "best" if i == best else ("worse" if p * (len(fits) - 1) < 0.05 else "as good")
        error = robust_deviation(residuals[i][np.isfinite(residuals[i])], 0)
        rows.append(
            Rival(names[i], len(fits[i].formula.parameters), error, float(np.mean(difference)) / unit, p, outcome)
        )
    return rows


def _by_cluster(values: NDArray, points: Points) -> NDArray:
    return np.bincount(points.cluster, values) / np.bincount(points.cluster)


def _p_value(difference: NDArray) -> float:
    """One-sided: that the mean difference is not positive."""
    count = len(difference)
    error = float(np.std(difference, ddof=1)) / math.sqrt(count)
    if error == 0:
        return 1.0 if np.mean(difference) <= 0 else 0.0
    return float(stdtr(count - 1, -np.mean(difference) / error))
