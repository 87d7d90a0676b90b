"""Laws y ~ A**p inside networks' families, and y ~ h**p between widths."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from fit.estimators.estimate import Estimate
from fit.estimators.slopes import slope_between, slope_within
from fit.findings.finding import (
    MIN_AMPLITUDES,
    MIN_SEEDS,
    MIN_WIDTHS,
    Finding,
    exclusions,
    mean_with_interval,
    points,
    range_of,
    sensitivity_row,
    trimmed,
    window,
)
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: The row of the sensitivity that takes Huber's M-estimate for least squares.
ROBUST = "outliers held back (Huber)"


def amplitude_law(
    found: Measurements, prediction: Prediction, logs: NDArray, y_label: str, *, corrected: bool = False
) -> Finding:
    """Estimate the power of A inside the prediction's regime.

    Parameters
    ----------
    found : Measurements
    prediction : Prediction
        Its regime is the window; its ``correction_exponent`` is fitted along if ``corrected``, otherwise shown beside.
    logs : ndarray of shape (width, amplitude, seed)
        Logarithms or jackknife pseudo-values of a logarithm; NaN where there is none.
    y_label : str
        LaTeX.
    corrected : bool
    """
    cells = window(found, prediction)
    correction = None if prediction.correction_exponent is None else float(prediction.correction_exponent)
    amplitude = np.broadcast_to(np.log(found.root_h_alpha)[..., None], logs.shape)
    width = np.repeat(found.widths, logs.shape[2])

    def rows(array: NDArray) -> NDArray:
        return np.moveaxis(array, 1, 2).reshape(-1, logs.shape[1])

    def estimate(
        cells: NDArray, with_correction: bool = corrected, keep: NDArray | None = None, robust: bool = False
    ) -> Estimate | None:
        chosen = np.where(cells[..., None], logs, np.nan)
        if keep is not None:
            chosen = np.where(keep[:, None, None], chosen, np.nan)
        columns = np.any(cells, axis=0)
        return slope_within(
            rows(amplitude)[:, columns],
            rows(chosen)[:, columns],
            width,
            correction if with_correction else None,
            robust=robust,
        )

    result = estimate(cells)
    # a window too short for the correction still gives the uncorrected slope as a partial result
    partial = result if result is not None or not corrected else estimate(cells, False)
    sensitivity = [sensitivity_row(name, estimate(part)) for name, part in trimmed(cells, found.root_h_alpha)]
    if correction is not None:
        what = "without" if corrected else "with"
        name = f"{what} the predicted correction A^({prediction.correction_exponent})"
        sensitivity.append(sensitivity_row(name, estimate(cells, not corrected)))
    if len(found.widths) > 1:
        wider = found.widths > found.widths.min()
        sensitivity.append(sensitivity_row("without the narrowest width", estimate(cells, keep=wider)))
    if prediction.statistic != "rms":  # pseudo-values of an rms have outliers by their nature
        sensitivity.append(sensitivity_row(ROBUST, estimate(cells, robust=True)))

    seen = np.isfinite(logs) & cells[..., None]
    n_amplitudes = int(seen.any(axis=2).sum(axis=1).max(initial=0))
    clusters = int((seen.sum(axis=1) > 1).sum())
    needed = MIN_AMPLITUDES + int(corrected)
    refusal = None
    if not seen.any():
        refusal = "no converged network with a measured value lies in the window"
    elif n_amplitudes < needed:
        refusal = f"the window holds {n_amplitudes} amplitudes, and {needed} are needed"
    elif clusters < MIN_SEEDS:
        refusal = f"{clusters} networks give a slope, and {MIN_SEEDS} are needed"
    span = range_of(cells & seen.any(axis=2), found)
    result_points = points(
        np.broadcast_to(found.widths[:, None], cells.shape),
        found.root_h_alpha,
        mean_with_interval(logs),
        cells & seen.any(axis=2),
        "root_h_alpha",
        y_label,
        partial,
        (span["low"], span["high"]),
    )
    return Finding(
        estimate=partial,
        points=result_points,
        range=span,
        n_points=int(result_points["used"].sum()),
        n_seeds=int(seen.any(axis=1).sum(axis=1).max(initial=0)),
        n_widths=int(seen.any(axis=(1, 2)).sum()),
        sensitivity=sensitivity,
        refusal=refusal,
        notes=(() if partial is None else partial.notes)
        + _correction_note(prediction, corrected and partial is result),
        **exclusions(found, cells),
    )


def powers_at_the_stop(
    found: Measurements, prediction: Prediction, logs: NDArray
) -> tuple[Estimate | None, Estimate | None]:
    """Estimate the power of A of the rms output F at the stop, and the power of A/F of what ``logs`` are of.

    Both in the window of the prediction; ``logs`` has the shape (width, amplitude, seed).
    """
    cells = window(found, prediction)
    columns = cells.any(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        output = np.log(found.output_rms)
    amplitude = np.broadcast_to(np.log(found.root_h_alpha)[..., None], logs.shape)
    seen = cells[..., None] & np.isfinite(output) & np.isfinite(logs)
    width = np.repeat(found.widths, logs.shape[2])

    def slope(x: NDArray, y: NDArray) -> Estimate | None:
        log_x, log_y = (np.moveaxis(array, 1, 2).reshape(-1, array.shape[1])[:, columns] for array in (x, y))
        return slope_within(log_x, log_y, width)

    return (
        slope(amplitude, np.where(seen, output, np.nan)),
        slope(np.where(seen, amplitude - output, amplitude), np.where(seen, logs, np.nan)),
    )


def width_law(
    found: Measurements, prediction: Prediction, logs: NDArray, y_label: str, *, curves: bool = False
) -> Finding:
    """Estimate the power of h of what the prediction's regime in A pools.

    Every (width, seed) pair gives one value: the mean over the amplitudes of the window. A pair with a network missing
    there is left out, so that all pairs average over the same amplitudes.

    Parameters
    ----------
    found, prediction, logs, y_label
        As in `amplitude_law`.
    curves : bool
        Whether ``logs`` are pseudo-values of a statistic over seeds; ``points`` then also gets the unpooled values at
        all amplitudes, not marked as used.
    """
    cells = window(found, prediction)
    averages = prediction.statistic != "rms" and not curves
    finding = pooled_width_law(found, lambda part: _mean_in(found, logs, part), cells, y_label, averages=averages)
    sensitivity = [
        sensitivity_row(name, slope_of_widths(found, _mean_in(found, logs, part)))
        for name, part in trimmed(cells, found.root_h_alpha)
    ]
    result_points = finding.points
    if curves and result_points is not None:
        everywhere = points(
            np.broadcast_to(found.widths[:, None], cells.shape), found.root_h_alpha, mean_with_interval(logs),
            np.zeros_like(cells), "width", y_label, None,
        )  # fmt: skip
        joined = {name: np.concatenate([result_points[name], everywhere[name]]) for name in result_points.data_vars}
        result_points = type(result_points)(
            {name: ("point", column) for name, column in joined.items()}, attrs=result_points.attrs
        )
    return dataclasses.replace(finding, sensitivity=sensitivity + finding.sensitivity, points=result_points)


def pooled_width_law(found: Measurements, pool, cells: NDArray, y_label: str, *, averages: bool = True) -> Finding:
    """Estimate the power of h of ``pool(cells)``, one logarithm per (width, seed).

    ``averages``: whether these are the networks' own values, and no pseudo-values of a statistic over them.
    """
    values = pool(cells)
    result = slope_of_widths(found, values)
    sensitivity = []
    if len(found.widths) > 2:
        for name, keep in (
            ("without the narrowest width", found.widths > found.widths.min()),
            ("without the widest width", found.widths < found.widths.max()),
        ):
            sensitivity.append(sensitivity_row(name, slope_of_widths(found, np.where(keep[:, None], values, np.nan))))
    if averages:
        log_h = np.repeat(np.log(found.widths), values.shape[1])
        sensitivity.append(sensitivity_row(ROBUST, slope_between(log_h, values.ravel(), robust=True)))
    seeds = np.isfinite(values).sum(axis=1)
    enough = seeds >= MIN_SEEDS
    refusal = None
    if not np.any(seeds):
        refusal = "no width has a seed whose networks all converged in the window"
    elif (seeds > 0).sum() < MIN_WIDTHS:
        refusal = f"{(seeds > 0).sum()} widths are too few to see a power of h, and {MIN_WIDTHS} are needed"
    elif enough.sum() < MIN_WIDTHS:
        refusal = f"{enough.sum()} widths have {MIN_SEEDS} complete seeds or more, and {MIN_WIDTHS} are needed"
    result_points = points(
        found.widths,
        np.full(len(found.widths), np.nan),
        mean_with_interval(values),
        seeds > 0,
        "width",
        y_label,
        result,
    )
    return Finding(
        estimate=result,
        points=result_points,
        range=range_of(cells, found),
        n_points=int(result_points["used"].sum()),
        n_seeds=int(seeds.max(initial=0)),
        n_widths=int((seeds > 0).sum()),
        sensitivity=sensitivity,
        refusal=refusal,
        notes=() if result is None else result.notes,
        **exclusions(found, cells),
    )


def slope_of_widths(found: Measurements, values: NDArray) -> Estimate | None:
    """The power of h of one logarithm per (width, seed)."""
    return slope_between(np.repeat(np.log(found.widths), values.shape[1]), values.ravel())


def _mean_in(found: Measurements, logs: NDArray, cells: NDArray) -> NDArray:
    """Mean over the window's amplitudes, shape (width, seed); NaN where one is missing."""
    if not found.on_common_amplitudes:
        logs, cells = _on_common_amplitudes(found, logs, cells)
    columns = cells.all(axis=0)
    if not columns.any():
        return np.full((logs.shape[0], logs.shape[2]), np.nan)
    return logs[:, columns].mean(axis=1)


def _on_common_amplitudes(found: Measurements, logs: NDArray, cells: NDArray) -> tuple[NDArray, NDArray]:
    """Interpolate a campaign laid out in alpha to the values of A that every width reaches inside the window.

    Linear in log A; the grid is that of the middle width, cut to what all widths span.
    """
    amplitude = np.log(found.root_h_alpha)
    shared = cells & cells.any(axis=1).all()
    inside = [row[mask] for row, mask in zip(amplitude, shared, strict=True)]
    if any(len(row) < 2 for row in inside):
        return logs[:, :0], cells[:, :0]
    low, high = max(row[0] for row in inside), min(row[-1] for row in inside)
    grid = inside[len(inside) // 2]
    grid = grid[(grid >= low - 1e-9) & (grid <= high + 1e-9)]
    result = np.full((logs.shape[0], len(grid), logs.shape[2]), np.nan)
    for i, row in enumerate(inside):
        curves = logs[i][shared[i]]
        complete = np.isfinite(curves).all(axis=0)
        if complete.any() and len(grid):
            result[i][:, complete] = make_interp_spline(row, curves[:, complete], k=1)(grid)
    return result, np.ones(result.shape[:2], dtype=bool)


def _correction_note(prediction: Prediction, corrected: bool) -> tuple[str, ...]:
    if prediction.correction_exponent is None:
        return ()
    if corrected:
        return (f"the predicted correction A^({prediction.correction_exponent}) is fitted along with its power fixed",)
    return (f"a relative correction A^({prediction.correction_exponent}) is predicted and not removed",)
