"""A power with its leading correction: log y = c + p u + log(1 + b e^{w u}), u = log x."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.least_squares import Data, ModelFit, fit_law

#: A free correction exponent lies in this range in size: a smaller one is the prefactor's, a larger one a step.
CORRECTION_EXPONENTS = (0.05, 4.0)


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
        exponent, log_prefactor, correction (b), and correction_exponent if it was free.

    Examples
    --------
    >>> x = np.geomspace(1e-4, 1e-1, 12)
    >>> round(corrected_power(x, 2 * x**-1.5 * (1 + 3 * x**0.5), correction_exponent=0.5)["exponent"].value, 6)
    -1.5
    """
    data = Data.of(x, y, cluster, y_error)
    fixed = correction_exponent is not None
    u = data.log_x
    w0 = float(correction_exponent) if correction_exponent is not None else 0.5 * math.copysign(1.0, sign)

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, b = theta[:3]
        w = w0 if fixed else theta[3]
        power = np.exp(w * u)
        factor = np.maximum(1 + b * power, 1e-12)
        columns = [np.ones_like(u), u, power / factor]
        if not fixed:
            columns.append(b * power * u / factor)
        return c + p * u + np.log(factor), np.stack(columns, axis=-1)

    slope, constant = np.polyfit(u, data.log_y, 1)
    lowest = -0.999 / float(np.exp(w0 * u).max()) if fixed else -0.999 / math.exp(abs(w0) * float(np.abs(u).max()))
    names = ["log_prefactor", "exponent", "correction"] + ([] if fixed else ["correction_exponent"])
    low = [-np.inf, -np.inf, lowest if fixed else -np.inf]
    high = [np.inf] * 3
    starts = []
    for w in [w0] if fixed else [math.copysign(size, sign) for size in (0.2, 0.5, 1.0, 2.0)]:
        # linear in the rest: log(1 + b P) ~ b P
        design = np.stack([np.ones_like(u), u, np.exp(w * u)], axis=-1)
        c, p, b = np.linalg.lstsq(design, data.log_y, rcond=None)[0]
        b = max(b, 0.5 * lowest) if fixed else max(b, -0.5 / float(np.exp(w * u).max()))
        starts.append([c, p, b] + ([] if fixed else [w]))
    if not fixed:
        edges = sorted(math.copysign(edge, sign) for edge in CORRECTION_EXPONENTS)
        low.append(edges[0])
        high.append(edges[1])
    starts.append([constant, slope, 0.0] + ([] if fixed else [w0]))
    return fit_law(data, law, names, starts, (low, high))
