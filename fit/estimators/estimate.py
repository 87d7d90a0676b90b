"""An estimate with its small-sample intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit  # scipy.stats.t, without its checks


@dataclass(frozen=True)
class Estimate:
    """An exponent, its standard error, and the degrees of freedom that the standard error has.

    Intervals are Student's: value ± t(dof) · standard_error. ``notes`` says what the method found on its way.

    Examples
    --------
    >>> low, high = Estimate(-1.5, 0.01, 9).interval(0.95)
    >>> round(low, 4), round(high, 4)
    (-1.5226, -1.4774)
    """

    value: float
    standard_error: float
    dof: float
    prefactor: float = math.nan  #: of y = prefactor * x**value
    n_points: int = 0
    n_clusters: int = 0
    notes: tuple[str, ...] = ()
    alternative: float | None = None  #: another value that fits as well, within the noise

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the two-sided interval of confidence ``level``."""
        half = float(stdtrit(self.dof, 0.5 + level / 2)) * self.standard_error
        return self.value - half, self.value + half

    def p_value(self, exponent: float) -> float:
        """Two-sided p-value of the point null ``value == exponent``."""
        return self._tail(abs(self.value - exponent))

    def p_value_within(self, exponent: float, margin: float) -> float:
        """p-value of the null |true - exponent| <= margin.

        It is below 0.05 exactly where the 95 % interval lies wholly outside [exponent - margin, exponent + margin].
        """
        return self._tail(max(abs(self.value - exponent) - margin, 0.0))

    def p_value_at_most(self, limit: float) -> float:
        """p-value of the null true <= limit: below 0.05 exactly where the 95 % interval lies wholly above ``limit``."""
        return self._tail(max(self.value - limit, 0.0))

    def p_value_at_least(self, limit: float) -> float:
        """p-value of the null true >= limit: below 0.05 exactly where the 95 % interval lies wholly below ``limit``."""
        return self._tail(max(limit - self.value, 0.0))

    def _tail(self, distance: float) -> float:
        if self.standard_error == 0:
            return float(distance == 0)
        return min(1.0, 2 * float(stdtr(self.dof, -distance / self.standard_error)))
