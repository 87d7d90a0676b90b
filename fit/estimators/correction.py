"""The leading correction of a power, y = c · x^p · (1 + b x^w) with a known w: the factor, and where b may lie.

Least squares in b have several minima. With b·min(x^w) >> 1 the correction leads everywhere, and x^(p+w) is the power;
this mirror of a small correction is left out, since what is called a correction is one somewhere in the window.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

#: b·min(x^w) is at most this: where the correction is smallest, it is of the size of the leading term or smaller.
LARGEST_WHERE_SMALLEST = 3.0
#: 1 + b·max(x^w) is at least this: y stays positive.
SMALLEST_FACTOR = 1e-3
GRID = 64


def log_factor(b: float, power: NDArray) -> tuple[NDArray, NDArray]:
    """Return log(1 + b P) and its derivative by b, P = x^w."""
    factor = np.maximum(1 + b * power, 1e-12)
    return np.log(factor), power / factor


def minima(cost: Callable[[float], float], power: NDArray) -> list[tuple[float, float]]:
    """Return b and cost at the local minima of a sum of squares profiled over all other parameters, the least first.

    Parameters
    ----------
    cost : callable
        The sum of squares at the best other parameters for a b.
    power : ndarray
        x^w of the points.
    """
    top, bottom = float(power.max()), float(power.min())
    # even steps in log(1 + b max x^w)
    grid = np.linspace(np.log(SMALLEST_FACTOR), np.log1p(LARGEST_WHERE_SMALLEST * top / bottom), GRID)

    def cost_at(position: float) -> float:
        return cost(float(np.expm1(position)) / top)

    costs = np.array([cost_at(position) for position in grid])
    padded = np.concatenate([[np.inf], costs, [np.inf]])
    solutions = []
    for i in np.flatnonzero((costs <= padded[:-2]) & (costs < padded[2:])).tolist():
        lower, upper = float(grid[max(i - 1, 0)]), float(grid[min(i + 1, GRID - 1)])
        inner = minimize_scalar(cost_at, bounds=(lower, upper), method="bounded", options={"xatol": 1e-9})
        position = float(inner.x) if inner.fun < costs[i] else float(grid[i])
        solutions.append((float(np.expm1(position)) / top, min(float(inner.fun), float(costs[i]))))
    return sorted(solutions, key=lambda solution: solution[1])
