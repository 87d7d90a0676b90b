"""How well a whole curve without free parameters fits: a normalised residual, a p-value by simulation, a size.

Networks of one seed share their initial weights at every A, so that their residuals are correlated along the curve and
no chi-squared table applies. If the curve is right, a seed's residuals log y - log theory are as likely as their
negatives: turning the signs of whole seeds at random gives the distribution of the statistic, whatever the correlation.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from fit.estimators.estimate import Estimate
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.curves import CrossoverCurve

#: The signs of five seeds have 16 patterns up to a common sign: no p-value could be below 1/16.
MIN_SEEDS = 6


@dataclass(frozen=True)
class CurveFit:
    """What the data say of a curve.

    Attributes
    ----------
    residual : float
        Mean over points of the squared deviation of log y from the curve in units of its error, Student's t² of each.
    expected_residual : float
        What that is on average if the curve is right: (S - 1)/(S - 3) with S seeds.
    p_value : float
        Probability of as large a residual if it is.
    log_ratio : Estimate
        The mean over points of log(y/theory): 0.05 is five per cent above the curve.
    log_rms : float
        Root mean square over points of the mean log(y/theory), with the part that noise explains taken off: how far the
        curve is off, for those who ask how large and not whether.
    n_points, n_seeds : int
    """

    residual: float
    expected_residual: float
    p_value: float
    log_ratio: Estimate
    log_rms: float
    n_points: int
    n_seeds: int


def goodness_of_fit(
    y: ArrayLike,
    theory: ArrayLike,
    theory_error: ArrayLike | None = None,
    *,
    replicas: int = 4999,
    seed: int = 0,
) -> CurveFit:
    """Compare measured curves, one a seed, with a predicted one.

    Parameters
    ----------
    y : array_like of shape (seeds, points)
        Positive. Seeds with a missing point (NaN) are left out.
    theory : array_like of shape (points,)
    theory_error : array_like of shape (points,), optional
        Standard errors of a theory that was sampled.
    replicas, seed : int
        Random signs behind the p-value, and their seed.

    Raises
    ------
    InputError
        For shapes that do not fit, values that are not positive, or fewer than 6 complete seeds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.exp(0.1 * rng.standard_normal((20, 1)) + np.zeros(4)) * [1, 2, 3, 4]
    >>> goodness_of_fit(y, [1, 2, 3, 4]).p_value > 0.05, goodness_of_fit(y, [1, 2, 3, 5]).p_value < 0.01
    (True, True)
    """
    measured, predicted = np.asarray(y, dtype=float), np.asarray(theory, dtype=float)
    if measured.ndim != 2 or predicted.shape != measured.shape[1:]:
        raise InputError("y", measured.shape, "one row a seed, one column a point of the theory", "Transpose it")
    if not np.all(predicted > 0) or np.any(measured <= 0):
        raise InputError("y", "not positive", "curves are compared in logarithms", "Leave such points out")
    complete = np.isfinite(measured).all(axis=1)
    if complete.sum() < MIN_SEEDS:
        raise InputError("y", int(complete.sum()), f"complete seeds, and {MIN_SEEDS} are needed", "Measure more seeds")
    rows = np.log(measured[complete] / predicted)
    relative = np.zeros(len(predicted)) if theory_error is None else np.asarray(theory_error, dtype=float) / predicted
    count = len(rows)
    rng = np.random.default_rng(seed)

    def statistic(mean, square):
        variance = np.maximum(square - mean**2, 0) / (count - 1) + relative**2
        return np.mean(mean**2 / np.maximum(variance, np.finfo(float).tiny), axis=-1)

    mean, square = rows.mean(axis=0), np.mean(rows**2, axis=0)
    observed = float(statistic(mean, square))
    signs = rng.choice([-1.0, 1.0], size=(replicas, count))
    # the squares keep their mean whatever the signs; a sampled theory's own error is drawn along
    flipped = signs @ rows / count + relative * rng.standard_normal((replicas, len(predicted)))
    larger = int(np.sum(statistic(flipped, square) >= observed * (1 - 1e-12)))
    mean_of_seed = rows.mean(axis=1)
    noise = np.maximum(square - mean**2, 0) / (count - 1) + relative**2
    return CurveFit(
        residual=observed,
        expected_residual=(count - 1) / (count - 3),
        p_value=(1 + larger) / (1 + replicas),
        log_ratio=Estimate(
            float(mean_of_seed.mean()),
            math.hypot(float(mean_of_seed.std(ddof=1)) / math.sqrt(count), float(relative.mean())),
            float(count - 1),
            n_points=rows.size,
            n_clusters=count,
        ),
        log_rms=math.sqrt(max(0.0, float(np.mean(mean**2 - noise)))),
        n_points=len(predicted),
        n_seeds=count,
    )


def curve_agreement(experiment: Measurements, curve: CrossoverCurve, width: float | None = None) -> CurveFit:
    """Compare an experiment's kernel changes with a curve of `theory.curves`, at its widest width or at ``width``.

    The curve is interpolated (monotone cubic in logarithms) to the measured amplitudes that it spans; it should be
    computed for the experiment's own training and kernel points.

    Raises
    ------
    InputError
        If the width is not there, or the curve spans none of its amplitudes.
    """
    widths = experiment.widths
    row = len(widths) - 1 if width is None else int(np.argmin(np.abs(widths - width)))
    if width is not None and widths[row] != width:
        raise InputError("width", width, f"the source holds {widths.tolist()}", "Give one of these")
    amplitude = experiment.root_h_alpha.isel(width=row).values
    low, high = curve.root_h_alpha.min() * (1 - 1e-9), curve.root_h_alpha.max() * (1 + 1e-9)
    inside = (amplitude >= low) & (amplitude <= high)
    if not inside.any() or len(curve.root_h_alpha) < 2:
        raise InputError("curve", [low, high], "it spans none of the measured amplitudes", "Compute it for more of A")
    log_inside = np.log(np.clip(amplitude[inside], curve.root_h_alpha.min(), curve.root_h_alpha.max()))
    order = np.argsort(curve.root_h_alpha)
    log_a = np.log(curve.root_h_alpha[order])
    predicted = np.exp(PchipInterpolator(log_a, np.log(curve.kernel_change[order]))(log_inside))
    relative = np.interp(log_inside, log_a, (curve.standard_error / curve.kernel_change)[order])
    measured = experiment.network("kernel_change").isel(width=row, amplitude=inside)
    return goodness_of_fit(measured.transpose("seed", "amplitude").values, predicted, relative * predicted)


def curve_fit(experiment: Measurements, curve: CrossoverCurve, width: float | None = None) -> CurveFit:
    """Return `curve_agreement`: the former name, which scipy has for another thing."""
    warnings.warn("fit.curve_fit is called fit.curve_agreement now", DeprecationWarning, stacklevel=2)
    return curve_agreement(experiment, curve, width)
