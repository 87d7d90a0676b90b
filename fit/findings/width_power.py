"""Powers of h, seen between widths."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from fit.estimators.between import slope_between
from fit.estimators.estimate import Estimate
from fit.estimators.selection import largest_shift_of_slope
from fit.findings.amplitude_power import ROBUST
from fit.findings.figure_points import figure_points, mean_with_interval, per_cell
from fit.findings.finding import MIN_SEEDS, MIN_WIDTHS, Finding, Minimum, too_few
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.window import left_out_networks, range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from lazyrich.wording import counted
from simulate.training.status import Status
from theory.prediction import Prediction

#: One logarithm per (width, seed) from those of the networks in some cells, (width, amplitude).
Pool = Callable[[xr.DataArray], xr.DataArray]


def width_power(
    experiment: Measurements, prediction: Prediction, logs: xr.DataArray, y_label: str, *, pseudo_values: bool = False
) -> Finding:
    """Estimate the power of h of a quantity pooled over the amplitudes of the prediction's regime.

    Every (width, seed) pair gives one value: the mean over the amplitudes of the window. A pair that lacks a network
    there is left out, so that all pairs average over the same amplitudes.

    Parameters
    ----------
    experiment, prediction, logs, y_label
        As in `fit.findings.amplitude_power.amplitude_power`.
    pseudo_values : bool
        Whether ``logs`` are pseudo-values of a statistic over seeds; ``points`` then also gets the unpooled values at
        all amplitudes, not marked as used.
    """
    cells = window(experiment, prediction)

    def pool(part: xr.DataArray) -> xr.DataArray:
        return mean_in_window(experiment, logs, part)

    averages = prediction.statistic != "rms" and not pseudo_values
    finding = pooled_width_power(experiment, pool, cells, y_label, averages=averages, quantity=prediction.quantity)
    points = finding.points
    if pseudo_values and points is not None:
        points = _joined(points, figure_points(
            *per_cell(experiment.root_h_alpha), mean_with_interval(logs), xr.zeros_like(cells).values, "width", y_label,
            None,
        ))  # fmt: skip
    sensitivity = pooled_sensitivity(pool, cells, experiment) + finding.sensitivity
    return dataclasses.replace(finding, sensitivity=sensitivity, points=points)


def pooled_width_power(
    experiment: Measurements,
    pool: Pool,
    cells: xr.DataArray,
    y_label: str,
    *,
    averages: bool = True,
    quantity: str | None = None,
) -> Finding:
    """Estimate the power of h of ``pool(cells)``, one logarithm per (width, seed).

    ``averages``: whether these are the networks' own values, and no pseudo-values of a statistic over them.
    ``quantity``: the variable of the source that they are logarithms of, if they are.
    """
    values = pool(cells)
    widths = experiment.widths
    result = slope_of_widths(values)
    sensitivity = []
    if len(widths) > 2:
        for name, keep in (
            ("without the narrowest width", values["width"] > widths.min()),
            ("without the widest width", values["width"] < widths.max()),
        ):
            sensitivity.append(sensitivity_row(name, slope_of_widths(values.where(keep))))
    if averages:
        robust = slope_between(np.log(width_of_pairs(values)), pairs(values), robust=True)
        sensitivity.append(sensitivity_row(ROBUST, robust))
    seeds = is_finite(values).sum("seed").values
    undecided_because, in_short = _why_undecided(seeds)
    points = figure_points(
        widths, np.full(len(widths), np.nan), mean_with_interval(values), seeds > 0, "width", y_label, result
    )
    return Finding(
        estimate=result,
        points=points,
        range=range_of(cells, experiment),
        n_points=int(points["used"].sum()),
        n_seeds=int(seeds.max(initial=0)),
        n_widths=int((seeds > 0).sum()),
        sensitivity=sensitivity,
        undecided_because=undecided_because,
        in_short=in_short,
        minimum=None if undecided_because is None else Minimum(MIN_SEEDS, MIN_WIDTHS, 1),
        notes=() if result is None else result.notes,
        shift_by_left_out=_shift_by_left_out(experiment, cells, values),
        **left_out_networks(experiment, cells, quantity),
    )


def slope_of_widths(values: xr.DataArray) -> Estimate | None:
    """Return the power of h of one logarithm per (width, seed)."""
    return slope_between(np.log(width_of_pairs(values)), pairs(values))


def _shift_by_left_out(experiment: Measurements, cells: xr.DataArray, values: xr.DataArray) -> float:
    """Return how far the power is off if pairs of which a network in ``cells`` did not converge lack for their size."""
    left_out = (~experiment.converged & (experiment.status != Status.PENDING) & cells).any("amplitude")
    return largest_shift_of_slope(np.log(width_of_pairs(values)), pairs(values), pairs(left_out))


def pooled_sensitivity(pool: Pool, cells: xr.DataArray, experiment: Measurements) -> list[dict]:
    """Return the rows of the windows that are shorter at either end."""
    return [
        sensitivity_row(name, slope_of_widths(pool(part))) for name, part in trimmed(cells, experiment.root_h_alpha)
    ]


def mean_in_window(experiment: Measurements, logs: xr.DataArray, cells: xr.DataArray) -> xr.DataArray:
    """Return the mean over the window's amplitudes, (width, seed); NaN where one is missing."""
    if not experiment.on_common_amplitudes:
        logs, cells = _on_common_amplitudes(experiment, logs, cells)
    columns = cells.all("width")
    if not columns.any():
        return xr.full_like(logs.isel(amplitude=0, drop=True) if logs.sizes["amplitude"] else logs.sum("amplitude"),
                            np.nan)  # fmt: skip
    return logs.isel(amplitude=columns.values).mean("amplitude", skipna=False)


def _why_undecided(seeds: NDArray) -> tuple[str | None, str]:
    """Return why a power of h stays undecided, if it does: as a clause, and in a few words.

    ``seeds``: how many of each width are complete.
    """
    measured, well_measured = int((seeds > 0).sum()), int((seeds >= MIN_SEEDS).sum())
    if not measured:
        return "no width has a seed all of whose networks in the window converged", "no complete seed"
    if measured < MIN_WIDTHS:
        clause = f"{counted(measured, 'width')} can't show a power of h, and {MIN_WIDTHS} are needed"
        return clause, too_few(measured, MIN_WIDTHS, "width")
    if well_measured < MIN_WIDTHS:
        with_seeds = f"{counted(well_measured, 'width')} with at least {MIN_SEEDS} complete seeds"
        most_seeds_first = np.sort(seeds)[::-1]
        in_short = too_few(int(most_seeds_first[MIN_WIDTHS - 1]), MIN_SEEDS, "seed")
        return f"{with_seeds} can't show a power of h, and {MIN_WIDTHS} are needed", in_short
    return None, ""


def _joined(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    columns = {name: np.concatenate([first[name], second[name]]) for name in first.data_vars}
    return xr.Dataset({name: ("point", column) for name, column in columns.items()}, attrs=first.attrs)


def _on_common_amplitudes(
    experiment: Measurements, logs: xr.DataArray, cells: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    """Interpolate a campaign laid out in alpha to the values of A that every width reaches inside the window.

    Linear in log A; the grid is that of the middle width, cut to what all widths span.
    """
    amplitude = np.log(experiment.root_h_alpha.values)
    inside = cells.values & cells.any("amplitude").all().item()
    rows = [row[mask] for row, mask in zip(amplitude, inside, strict=True)]
    if any(len(row) < 2 for row in rows):
        return logs.isel(amplitude=slice(0)), cells.isel(amplitude=slice(0))
    low, high = max(row[0] for row in rows), min(row[-1] for row in rows)
    grid = rows[len(rows) // 2]
    grid = grid[(grid >= low - 1e-9) & (grid <= high + 1e-9)]
    values = logs.transpose("width", "amplitude", "seed").values
    result = np.full((values.shape[0], len(grid), values.shape[2]), np.nan)
    for i, row in enumerate(rows):
        curves = values[i][inside[i]]
        complete = np.isfinite(curves).all(axis=0)
        if complete.any() and len(grid):
            result[i][:, complete] = make_interp_spline(row, curves[:, complete], k=1)(grid)
    interpolated = xr.DataArray(result, {"width": logs["width"]}, ("width", "amplitude", "seed"))
    return interpolated, xr.ones_like(interpolated.isel(seed=0, drop=True), dtype=bool)
