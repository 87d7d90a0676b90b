"""A power with its leading correction: log y = c + p u + log(1 + b e^{w u}), u = log x."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.corrected_slope import WITHIN_NOISE
from fit.estimators.correction import LARGEST_WHERE_SMALLEST, log_factor, minima
from fit.estimators.least_squares import Data, Law, ModelFit, check_freedom, fit_law

#: A free correction exponent lies in this range in size: a smaller one is the prefactor's, a larger one a step.
CORRECTION_EXPONENTS = (0.05, 4.0)
NAMES = ("log_prefactor", "exponent", "correction")


def corrected_power(
    x: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    correction_exponent: float | None = None,
    sign: int = 1,
    y_error: ArrayLike | None = None,
) -> ModelFit:
    """Fit y = c · x**p · (1 + b · x**w): a power with its leading correction.

    Parameters
    ----------
    x, y : array_like of shape (n,)
    cluster : array_like of shape (n,), optional
    correction_exponent : float, optional
        The fixed w. Without it w is free too, which needs decades of x and little noise; where theory gives w, fix it.
    sign : {1, -1}
        Of a free w: 1 if the correction vanishes for x -> 0, -1 for x -> infinity.
    y_error : array_like of shape (n,), optional
        Standard errors of y; points count by their inverse squares.

    Returns
    -------
    ModelFit
        exponent, log_prefactor, correction (b), and correction_exponent if it was free. With a fixed w the global
        minimum over b is taken (a correction that leads everywhere is none); where another one fits as well within
        the noise, its power is the exponent's ``alternative``.

    Examples
    --------
    >>> x = np.geomspace(1e-4, 1e-1, 12)
    >>> round(corrected_power(x, 2 * x**-1.5 * (1 + 3 * x**0.5), correction_exponent=0.5)["exponent"].value, 6)
    -1.5
    """
    data = Data.from_arrays(x, y, cluster, y_error)
    fixed = correction_exponent is not None
    u = data.log_x
    w0 = float(correction_exponent) if correction_exponent is not None else 0.5 * math.copysign(1.0, sign)

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, b = theta[:3]
        w = w0 if fixed else theta[3]
        logs, by_b = log_factor(b, np.exp(w * u))
        columns = [np.ones_like(u), u, by_b]
        if not fixed:
            columns.append(b * u * by_b)
        return c + p * u + logs, np.stack(columns, axis=-1)

    if fixed:
        return _with_known_power(data, law, w0)
    slope, constant = np.polyfit(u, data.log_y, 1)
    starts = [[constant, slope, 0.0, w0]]
    for w in (math.copysign(size, sign) for size in (0.2, 0.5, 1.0, 2.0)):
        # linear in the rest: log(1 + b P) ~ b P
        power = np.exp(w * u)
        c, p, b = np.linalg.lstsq(np.stack([np.ones_like(u), u, power], axis=-1), data.log_y, rcond=None)[0]
        starts.append([c, p, max(b, -0.5 / float(power.max())), w])
    edges = sorted(math.copysign(edge, sign) for edge in CORRECTION_EXPONENTS)
    bounds = [-np.inf, -np.inf, -np.inf, edges[0]], [np.inf, np.inf, np.inf, edges[1]]
    return fit_law(data, law, [*NAMES, "correction_exponent"], starts, bounds)


def _with_known_power(data: Data, law: Law, w: float) -> ModelFit:
    """Profile the sum of squares over b; another minimum that fits as well is the exponent's ``alternative``."""
    check_freedom(data, len(NAMES))
    u, weight, power = data.log_x, data.weight, np.exp(w * data.log_x)
    design = np.stack([np.ones_like(u), u], axis=-1) * weight[:, None]
    inverse = np.linalg.pinv(design)

    def line_of(b: float) -> tuple[NDArray, NDArray]:
        """Return the constant and the power at a b, and the residuals."""
        target = weight * (data.log_y - log_factor(b, power)[0])
        line = inverse @ target
        return line, target - design @ line

    solutions = minima(lambda b: float(np.sum(line_of(b)[1] ** 2)), power)
    starts = [[*line_of(b)[0], b] for b, _ in solutions]
    lowest, highest = -1 / float(power.max()), LARGEST_WHERE_SMALLEST / float(power.min())
    fitted = fit_law(data, law, NAMES, starts[:1], ([-np.inf, -np.inf, lowest], [np.inf, np.inf, highest]))
    variance = solutions[0][1] / (len(u) - len(NAMES))
    as_good = [start[1] for start, (_, cost) in zip(starts[1:], solutions[1:], strict=True)
               if cost - solutions[0][1] <= WITHIN_NOISE * variance]  # fmt: skip
    if not as_good:
        return fitted
    exponent = dataclasses.replace(fitted["exponent"], alternative=float(as_good[0]))
    return dataclasses.replace(fitted, parameters=fitted.parameters | {"exponent": exponent})
