"""The law t = A · (a + b ln(1/A)) of the time to fit, where growth is exponential (degree two in the weights)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from fit.estimators.estimate import Estimate
from fit.findings.figure_points import figure_points, mean_with_interval, per_cell
from fit.findings.finding import MIN_SEEDS, Finding, Minimum
from fit.findings.networks import is_finite, log
from fit.findings.outcome import LEVEL, Outcome
from fit.findings.window import left_out_networks, range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: The law is confirmed if the slope b changes by less than this fraction of itself from one end of the window to the
#: other; over two decades a power law of exponent 1 - 1/(L+1), the alternative, changes it by a factor of ten and more.
MAX_SLOPE_CHANGE = 0.3
MIN_AMPLITUDES_OF_A_LOGARITHM = 4


def logarithmic_law(experiment: Measurements, prediction: Prediction, times: xr.DataArray, y_label: str) -> Finding:
    """Judge whether t/A is a straight, rising line in ln(1/A) inside the prediction's regime.

    Per (width, seed) a parabola is fitted, t/A = a + b l + c l² with l = ln(1/A) counted from the window's middle; the
    relative change of slope over the window, 2 c·(range of l)/b, would be zero. It is no power, so the verdict's
    estimate stays empty and the numbers stand in its reason.

    Parameters
    ----------
    experiment : Measurements
    prediction : Prediction
    times : DataArray, (width, amplitude, seed)
        Article convention; NaN where there is none.
    y_label : str
        LaTeX of the time.
    """
    cells = window(experiment, prediction)
    rescaled = times / experiment.root_h_alpha
    change, slope = _change_of_slope(experiment, rescaled, cells)
    present = is_finite(times) & cells
    measured_cells = present.any("seed")
    curve = mean_with_interval(log(times))
    points = figure_points(
        *per_cell(experiment.root_h_alpha), curve, measured_cells.values, "root_h_alpha", y_label, None
    )
    undecided_because, outcome, reason, p_value_against = None, None, "", None
    if change is None or slope is None:
        in_short = f"fewer than {MIN_SEEDS} pairs at {MIN_AMPLITUDES_OF_A_LOGARITHM} amplitudes"
        undecided_because = (
            f"a logarithm needs {MIN_SEEDS} pairs of width and seed that are measured at "
            f"{MIN_AMPLITUDES_OF_A_LOGARITHM} amplitudes or more of the window"
        )
    else:
        outcome, reason, p_value_against = _outcome(change, slope)
        half_width = float(np.ptp(change.interval())) / 2
        in_short = f"slope changes by {change.value:.0%} ± {half_width:.0%}".replace("-", "−")
    return Finding(
        points=points,
        range=range_of(measured_cells, experiment),
        n_points=int(points["used"].sum()),
        n_seeds=int(present.any("amplitude").sum("seed").max()),
        n_widths=int(present.any(("amplitude", "seed")).sum()),
        sensitivity=[
            sensitivity_row(f"change of slope, {name}", _change_of_slope(experiment, rescaled, part)[0])
            for name, part in trimmed(cells, experiment.root_h_alpha)
        ],
        undecided_because=undecided_because,
        in_short=in_short,
        minimum=None if undecided_because is None else Minimum(MIN_SEEDS, 1, MIN_AMPLITUDES_OF_A_LOGARITHM),
        outcome=outcome,
        reason=reason,
        p_value_against=p_value_against,
        **left_out_networks(experiment, cells, prediction.quantity),
    )


def _change_of_slope(
    experiment: Measurements, rescaled: xr.DataArray, cells: xr.DataArray
) -> tuple[Estimate | None, Estimate | None]:
    """Return the relative change of slope over the window, and the slope per decade in units of the mean of t/A."""
    log_inverse = -np.log(experiment.root_h_alpha.values)
    values = rescaled.transpose("width", "amplitude", "seed").values
    changes, slopes = [], []
    for i, row in enumerate(cells.values):
        x = log_inverse[i, row]
        if len(x) < MIN_AMPLITUDES_OF_A_LOGARITHM:
            continue
        complete = np.isfinite(values[i, row]).all(axis=0)
        if not complete.any():
            continue
        y = values[i, row][:, complete]
        curvature, rise, level = np.polyfit(x - x.mean(), y, 2)
        changes.append(2 * curvature * np.ptp(x) / rise)
        slopes.append(rise * np.log(10) / level)
    if not changes or sum(map(len, changes)) < MIN_SEEDS:
        return None, None
    return _mean(np.concatenate(changes)), _mean(np.concatenate(slopes))


def _mean(values: NDArray) -> Estimate:
    result = OLS(values, np.ones(len(values))).fit()
    return Estimate(float(result.params[0]), float(result.bse[0]), float(result.df_resid), n_clusters=len(values))


def _outcome(change: Estimate, slope: Estimate) -> tuple[Outcome, str, float]:
    """Return the outcome, its reason, and the p-value of the null: t/A rises, and bends by no more than allowed."""
    ci90, ci95 = change.interval(0.90), change.interval(0.95)
    measured = (
        f"the ratio t/A rises by {slope.value:.0%} of its mean per decade of 1/A, and its slope changes by "
        f"{change.value:.0%} (95 % interval [{ci95[0]:.0%}, {ci95[1]:.0%}]) over the window, "
        f"where at most ± {MAX_SLOPE_CHANGE:.0%} is allowed"
    )
    # each test rejects a law at its limit with probability 2.5 %, so that the smaller p-value is a p-value
    p_value_against = min(slope.p_value_at_least(0.0), change.p_value_within(0.0, MAX_SLOPE_CHANGE))
    if p_value_against < LEVEL:
        return "inconsistent", measured, p_value_against
    if slope.interval(0.95)[0] > 0 and ci90[0] >= -MAX_SLOPE_CHANGE and ci90[1] <= MAX_SLOPE_CHANGE:
        return "consistent", measured, p_value_against
    return "inconclusive", measured, p_value_against
