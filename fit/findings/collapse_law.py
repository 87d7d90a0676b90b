"""The exponent nu of a collapse in alpha·h^nu as a finding about one experiment."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from fit.estimators.collapse import Collapse, collapse
from fit.findings.finding import MIN_AMPLITUDES, MIN_SEEDS, Finding
from fit.findings.networks import is_finite
from fit.findings.window import exclusions, range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.prediction import Prediction

#: The nu's at which the quality is given beside the best: sqrt(h)·alpha and h·alpha.
COMPARED = (0.5, 1.0)
#: Redraws behind the interval, and behind those of the sensitivity.
REDRAWS, SENSITIVITY_REDRAWS = 100, 40
#: Fewer widths than this show no collapse: two curves always have a nu.
MIN_CURVES = 3
#: Points that curves of at least two widths need to be compared.
MIN_POINTS = 6


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
    enough = int(((seeds >= MIN_SEEDS) & (amplitudes >= MIN_AMPLITUDES)).sum())
    refusal = None
    if enough < MIN_CURVES:
        refusal = (
            f"{enough} widths have {MIN_SEEDS} seeds at {MIN_AMPLITUDES} amplitudes in the window, "
            f"and {MIN_CURVES} are needed to see curves collapse"
        )

    def fit(part: xr.DataArray, replicas: int) -> Collapse | None:
        return _collapse(experiment, values, present & part, prediction.statistic, replicas)

    result = fit(cells, REDRAWS) if enough > 1 else None
    sensitivity = []
    if result is not None and refusal is None:
        for name, part in trimmed(cells, experiment.root_h_alpha):
            sensitivity.append(_row(name, fit(part, SENSITIVITY_REDRAWS)))
        if len(experiment.widths) > MIN_CURVES:
            wider = cells & (cells["width"] > experiment.widths.min())
            sensitivity.append(_row("without the narrowest width", fit(wider, SENSITIVITY_REDRAWS)))
    if result is None and refusal is None:
        refusal = "the curves of the widths share too short a range"
    measured_cells = present.any("seed")
    return Finding(
        estimate=None if result is None else result.nu,
        range=range_of(measured_cells, experiment),
        n_points=int(measured_cells.sum()),
        n_seeds=int(seeds.max()),
        n_widths=int((seeds > 0).sum()),
        sensitivity=sensitivity,
        refusal=refusal,
        notes=() if result is None else (_quality(result),),
        **exclusions(experiment, cells),
    )


def _collapse(
    experiment: Measurements, values: xr.DataArray, chosen: xr.DataArray, statistic: str, replicas: int
) -> Collapse | None:
    """Collapse the networks that are ``chosen``; None where their curves do not overlap, or are too few."""
    mask = chosen.transpose("width", "amplitude", "seed").values
    if mask.any(axis=(1, 2)).sum() < 2 or mask.sum() < MIN_POINTS:
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
    except InputError:  # no overlap
        return None


def _row(name: str, result: Collapse | None) -> dict:
    return sensitivity_row(name, None if result is None else result.nu)


def _quality(result: Collapse) -> str:
    others = ", ".join(
        f"{quality:.2g} in {'sqrt(h)' if nu == COMPARED[0] else 'h'}·alpha"
        for nu, quality in result.quality_at.items()
        if np.isfinite(quality)
    )
    return f"the quality of the collapse is S = {result.quality:.2g}" + (f" (S = {others})" if others else "")
