"""Coefficients of the damped Runge-Kutta-Chebyshev method of order 2 (RKC2).

Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88 (1998) 315, with damping eps = 2/13. A step of s stages is stable
for dt·lambda <= 2 (s² - 1)(1 - 2 eps/15)/3, lambda the largest eigenvalue of the Jacobian's negative.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

_DAMPING = 2.0 / 13.0


def stages_for(stiffness: Tensor) -> Tensor:
    """Return how many stages a step with dt·lambda = ``stiffness`` takes to be stable, as a floating-point tensor."""
    return 1.0 + torch.floor(torch.sqrt(1.54 * stiffness + 1.0))


def stiffness_limits(max_stages: int) -> Tensor:
    """Return for 3, 4, ..., ``max_stages`` stages the dt·lambda from which `stages_for` asks for them."""
    return (torch.arange(2, max_stages, dtype=torch.float64) ** 2 - 1.0) / 1.54


@functools.lru_cache(maxsize=1024)
def coefficients(s: int) -> tuple[float, Tensor]:
    """Return the coefficients of ``s`` stages for dt = 1 (equations 2.2 to 2.6 of the paper).

    These are a number c and a table (5, s + 1) in float64, whose column j holds those of stage j:

        Y_1 = Y_0 + c g(Y_0),    Y_j = c_0 Y_0 + c_1 Y_{j-1} + c_2 Y_{j-2} + c_3 g(Y_{j-1}) + c_4 g(Y_0).
    """
    w0 = 1.0 + _DAMPING / s**2
    t, dt, ddt = [1.0, w0], [0.0, 1.0], [0.0, 0.0]  # Chebyshev polynomials at w0 and their derivatives
    for j in range(2, s + 1):
        t.append(2.0 * w0 * t[j - 1] - t[j - 2])
        dt.append(2.0 * t[j - 1] + 2.0 * w0 * dt[j - 1] - dt[j - 2])
        ddt.append(4.0 * dt[j - 1] + 2.0 * w0 * ddt[j - 1] - ddt[j - 2])
    w1 = dt[s] / ddt[s]
    b = [math.nan, math.nan, *(ddt[j] / dt[j] ** 2 for j in range(2, s + 1))]
    b[0] = b[1] = b[2]
    a = [1.0 - b[j] * t[j] for j in range(s + 1)]
    columns = [[0.0] * 5, [0.0] * 5]
    for j in range(2, s + 1):
        mu, nu, mu_t = 2.0 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], 2.0 * b[j] * w1 / b[j - 1]
        columns.append([1.0 - mu - nu, mu, nu, mu_t, -a[j - 1] * mu_t])
    return b[1] * w1, torch.tensor(columns, dtype=torch.float64).mT
