"""The exponent nu of a collapse in alpha·h^nu as a finding about one experiment."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from fit.estimators.collapse import Collapse, collapse
from fit.findings.finding import MIN_AMPLITUDES, MIN_SEEDS, Finding, Minimum
from fit.findings.networks import is_finite
from fit.findings.window import left_out_networks, range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from lazyrich.wording import counted
from theory.prediction import Prediction

#: Values of nu at which the quality is given beside the best one: sqrt(h)·alpha and h·alpha.
COMPARED = (0.5, 1.0)
#: Redraws behind the interval, and behind those of the sensitivity.
REDRAWS, SENSITIVITY_REDRAWS = 100, 40
#: With fewer widths there is no verdict: some nu makes any two curves coincide.
MIN_CURVES = 3
#: The smallest number of networks from which a collapse is formed.
MIN_NETWORKS = 6


def collapse_law(experiment: Measurements, prediction: Prediction, values: xr.DataArray) -> Finding:
    """Find the nu for which ``values`` is one function of alpha·h^nu inside the prediction's regime.

    Parameters
    ----------
    experiment : Measurements
    prediction : Prediction
        Its statistic says whether seeds are averaged in the logarithm or in the square.
    values : DataArray, (width, amplitude, seed)
        Positive; NaN where there is none.
    """
    cells = window(experiment, prediction)
    present = is_finite(values) & (values > 0) & cells
    seeds = present.any("amplitude").sum("seed")
    amplitudes = present.any("seed").sum("amplitude")
    well_measured = int(((seeds >= MIN_SEEDS) & (amplitudes >= MIN_AMPLITUDES)).sum())
    undecided_because, in_short = None, ""
    if well_measured < MIN_CURVES:
        undecided_because = (
            f"{counted(well_measured, 'width')} with {MIN_SEEDS} seeds and {MIN_AMPLITUDES} amplitudes in the window "
            f"can't show a collapse, and {MIN_CURVES} are needed"
        )
        in_short = f"{well_measured} of {MIN_CURVES} widths with {MIN_SEEDS} seeds at {MIN_AMPLITUDES} amplitudes"

    def fit(part: xr.DataArray, replicas: int) -> Collapse | None:
        return _collapse(experiment, values, present & part, prediction.statistic, replicas)

    result = fit(cells, REDRAWS) if well_measured > 1 else None
    sensitivity = []
    if result is not None and undecided_because is None:
        for name, part in trimmed(cells, experiment.root_h_alpha):
            sensitivity.append(_row(name, fit(part, SENSITIVITY_REDRAWS)))
        if len(experiment.widths) > MIN_CURVES:
            wider = cells & (cells["width"] > experiment.widths.min())
            sensitivity.append(_row("without the narrowest width", fit(wider, SENSITIVITY_REDRAWS)))
    if result is None and undecided_because is None:
        in_short = "curves hardly overlap"
        undecided_because = (
            "the curves of different widths overlap too little to be compared, or no power of h inside the range "
            "searched makes them one"
        )
    measured_cells = present.any("seed")
    return Finding(
        estimate=None if result is None else result.nu,
        range=range_of(measured_cells, experiment),
        n_points=int(measured_cells.sum()),
        n_seeds=int(seeds.max()),
        n_widths=int((seeds > 0).sum()),
        sensitivity=sensitivity,
        undecided_because=undecided_because,
        in_short=in_short,
        minimum=Minimum(MIN_SEEDS, MIN_CURVES, MIN_AMPLITUDES) if well_measured < MIN_CURVES else None,
        notes=() if result is None else (_quality(result),),
        **left_out_networks(experiment, cells),
    )


def _collapse(
    experiment: Measurements, values: xr.DataArray, used: xr.DataArray, statistic: str, replicas: int
) -> Collapse | None:
    """Collapse the networks in ``used``; None where their curves do not overlap, or are too few."""
    mask = used.transpose("width", "amplitude", "seed").values
    if mask.any(axis=(1, 2)).sum() < 2 or mask.sum() < MIN_NETWORKS:
        return None
    alpha, width, y, seed = (
        column.broadcast_like(values).transpose("width", "amplitude", "seed").values[mask]
        for column in (
            experiment.alpha, values["width"], values, xr.DataArray(np.arange(values.sizes["seed"]), dims="seed"),
        )
    )  # fmt: skip
    average: Literal["mean", "rms"] = "rms" if statistic == "rms" else "mean"
    try:
        return collapse(alpha, width, y, seed, statistic=average, compare=COMPARED, replicas=replicas)
    except InputError:  # no overlap, or a best nu at an end
        return None


def _row(name: str, result: Collapse | None) -> dict:
    return sensitivity_row(name, None if result is None else result.nu)


def _quality(result: Collapse) -> str:
    at_compared = ", ".join(
        f"{quality:.2g} in {'√h' if nu == COMPARED[0] else 'h'}·α"
        for nu, quality in result.quality_at.items()
        if np.isfinite(quality)
    )
    return f"the quality of the collapse is S = {result.quality:.2g}" + (f" (S = {at_compared})" if at_compared else "")
