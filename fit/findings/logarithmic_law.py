"""The law t = A · (a + b ln(1/A)) of the time to fit, where growth is exponential (degree two in the weights)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from fit.estimators.estimate import Estimate
from fit.findings.finding import (
    MIN_SEEDS,
    Finding,
    mean_with_interval,
    points,
    range_of,
    sensitivity_row,
    trimmed,
    window,
)
from fit.findings.outcome import LEVEL, Outcome
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: The law is confirmed if the slope b changes by less than this fraction of itself from one end of the window to the
#: other; over two decades a power law of exponent 1 - 1/(L+1), the alternative, changes it by a factor of ten and more.
MAX_SLOPE_CHANGE = 0.3
MIN_AMPLITUDES = 4


def logarithmic_law(found: Measurements, prediction: Prediction, times: NDArray, y_label: str) -> Finding:
    """Judge whether t/A is a straight, rising line in ln(1/A) inside the prediction's regime.

    Per (width, seed) a parabola is fitted, t/A = a + b l + c l² with l = ln(1/A) counted from the window's middle; the
    relative change of slope over the window, 2 c·(range of l)/b, would be zero. It is no power, so the verdict's
    estimate stays empty and the numbers stand in its reason.

    Parameters
    ----------
    found : Measurements
    prediction : Prediction
    times : ndarray of shape (width, amplitude, seed)
        Article convention; NaN where there is none.
    y_label : str
        LaTeX of the time.
    """
    cells = window(found, prediction)
    rescaled = times / found.root_h_alpha[..., None]
    bend, slope = _bend(found, rescaled, cells)
    seen = np.isfinite(times) & cells[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = mean_with_interval(np.log(times))
    result_points = points(
        np.broadcast_to(found.widths[:, None], cells.shape),
        found.root_h_alpha,
        curve,
        cells & seen.any(axis=2),
        "root_h_alpha",
        y_label,
        None,
    )
    excluded = found.excluded(cells)
    refusal, outcome, against = None, None, None
    if bend is None or slope is None:
        refusal = f"{MIN_SEEDS} networks measured at {MIN_AMPLITUDES} amplitudes are needed to see a logarithm"
    else:
        outcome, against = _outcome(bend, slope)
    return Finding(
        points=result_points,
        range=range_of(cells & seen.any(axis=2), found),
        n_points=int(result_points["used"].sum()),
        n_seeds=int(seen.any(axis=1).sum(axis=1).max(initial=0)),
        n_widths=int(seen.any(axis=(1, 2)).sum()),
        excluded=excluded,
        excluded_fraction=sum(excluded.values()) / max(1, int(cells.sum()) * found.n_seeds),
        sensitivity=[
            sensitivity_row(f"change of slope, {name}", _bend(found, rescaled, part)[0])
            for name, part in trimmed(cells, found.root_h_alpha)
        ],
        refusal=refusal,
        outcome=outcome,
        p_value_against=against,
    )


def _bend(found: Measurements, rescaled: NDArray, cells: NDArray) -> tuple[Estimate | None, Estimate | None]:
    """Return the relative change of slope over the window, and the slope per decade in units of the mean of t/A."""
    log = -np.log(found.root_h_alpha)
    bends, slopes = [], []
    for i, row in enumerate(cells):
        x = log[i, row]
        if len(x) < MIN_AMPLITUDES:
            continue
        complete = np.isfinite(rescaled[i, row]).all(axis=0)
        if not complete.any():
            continue
        y = rescaled[i, row][:, complete]
        curvature, rise, level = np.polyfit(x - x.mean(), y, 2)
        bends.append(2 * curvature * np.ptp(x) / rise)
        slopes.append(rise * np.log(10) / level)
    if not bends or sum(map(len, bends)) < MIN_SEEDS:
        return None, None
    return _mean(np.concatenate(bends)), _mean(np.concatenate(slopes))


def _mean(values: NDArray) -> Estimate:
    result = OLS(values, np.ones(len(values))).fit()
    return Estimate(float(result.params[0]), float(result.bse[0]), float(result.df_resid), n_clusters=len(values))


def _outcome(bend: Estimate, slope: Estimate) -> tuple[tuple[Outcome, str], float]:
    """The outcome with its reason, and the p-value of the null that t/A rises and bends by no more than is allowed."""
    ci90, ci95 = bend.interval(0.90), bend.interval(0.95)
    numbers = (
        f"the ratio t/A rises by {slope.value:.0%} of its mean per decade of 1/A, and its slope changes by "
        f"{bend.value:.0%} (95 % interval [{ci95[0]:.0%}, {ci95[1]:.0%}]) over the window, "
        f"where ± {MAX_SLOPE_CHANGE:.0%} is allowed"
    )
    # each of the two rejects a law at its limit in half of 5 %, so the smaller of both is a p-value
    against = min(slope.p_value_at_least(0.0), bend.p_value_within(0.0, MAX_SLOPE_CHANGE))
    if against < LEVEL:
        return ("inconsistent", numbers), against
    if slope.interval(0.95)[0] > 0 and ci90[0] >= -MAX_SLOPE_CHANGE and ci90[1] <= MAX_SLOPE_CHANGE:
        return ("consistent", numbers), against
    return ("inconclusive", numbers), against
