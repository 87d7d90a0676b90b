"""A power of alpha and of the width at once: log y = c + p (log alpha + nu log h)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.least_squares import Data, ModelFit, fitted_law
from lazyrich.errors import InputError


def joint(
    alpha: ArrayLike,
    width: ArrayLike,
    y: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    y_error: ArrayLike | None = None,
) -> ModelFit:
    """Fit y = c · (alpha · h**nu)**p: how y depends on alpha and on the width at once, nu free.

    nu = 1/2 is a collapse in A = sqrt(h)·alpha, nu = 1 one in h·alpha.

    Returns
    -------
    ModelFit
        exponent (p), nu, log_prefactor.

    Examples
    --------
    >>> alpha, h = np.repeat([0.01, 0.1, 1.0], 4), np.tile([32.0, 64, 128, 256], 3)
    >>> round(joint(alpha, h, (alpha * h) ** -1.0)["nu"].value, 6)
    1.0
    """
    data = Data.from_arrays(alpha, y, cluster, y_error, width=width)
    u, log_h = data.log_x, data.log_width
    assert log_h is not None
    if len(np.unique(log_h)) < 2:
        raise InputError("width", float(np.exp(log_h[0])), "one width shows no dependence on it", "Give two or more")

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, nu = theta
        v = u + nu * log_h
        return c + p * v, np.stack([np.ones_like(u), v, p * log_h], axis=-1)

    design = np.stack([np.ones_like(u), u, log_h], axis=-1) * data.weight[:, None]
    c, p, q = np.linalg.lstsq(design, data.log_y * data.weight, rcond=None)[0]
    if p == 0:
        raise InputError("y", "constant", "it does not depend on alpha", "There is nothing to collapse")
    return fitted_law(data, law, ["log_prefactor", "exponent", "nu"], np.array([c, p, q / p]))
