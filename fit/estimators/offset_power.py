"""A power that ends in a constant: log y = log(e^c x^p + y_0)."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fit.estimators.least_squares import Data, ModelFit, fit_law


def offset_power(
    x: ArrayLike, y: ArrayLike, cluster: ArrayLike | None = None, *, y_error: ArrayLike | None = None
) -> ModelFit:
    """Fit y = c · x**p + y0: a power that ends in, or starts from, a constant.

    Returns
    -------
    ModelFit
        exponent, log_prefactor and offset (y0).

    Examples
    --------
    >>> x = np.geomspace(10, 1000, 9)
    >>> round(offset_power(x, 5 / x + 0.02)["offset"].value, 6)
    0.02
    """
    data = Data.from_arrays(x, y, cluster, y_error)
    u, largest = data.log_x, float(np.exp(data.log_y.max()))

    def law(theta: NDArray, u: NDArray) -> tuple[NDArray, NDArray]:
        c, p, share = theta
        # the fit may propose any step: the power is capped far above all measurements
        power = np.exp(np.minimum(c + p * u, data.log_y.max() + 50.0))
        total = np.maximum(power + share * largest, 1e-12 * largest)
        return np.log(total), np.stack([power / total, power * u / total, largest / total], axis=-1)

    smallest = float(np.exp(data.log_y.min())) / largest
    starts = []
    for share in (-smallest, 0.0, 0.5 * smallest, 0.9 * smallest, 0.99 * smallest):
        p, c = np.polyfit(u, np.log(np.exp(data.log_y) - share * largest), 1)
        starts.append([c, p, share])
    fitted = fit_law(data, law, ["log_prefactor", "exponent", "offset"], starts)
    return _rescaled(fitted, "offset", largest)


def _rescaled(fitted: ModelFit, name: str, factor: float) -> ModelFit:
    estimate = fitted[name]
    rescaled = dataclasses.replace(
        estimate, value=estimate.value * factor, standard_error=estimate.standard_error * factor
    )
    return ModelFit(fitted.parameters | {name: rescaled}, fitted.log_rms, fitted.n_points, fitted.n_clusters)
