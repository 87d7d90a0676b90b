"""The exponent nu of a collapse in alpha·h^nu as a finding about one experiment."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fit.estimators.collapse import Collapse, collapse
from fit.findings.finding import (
    MIN_AMPLITUDES,
    MIN_SEEDS,
    MIN_WIDTHS,
    Finding,
    exclusions,
    range_of,
    sensitivity_row,
    trimmed,
    window,
)
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.prediction import Prediction

#: What the quality is told for, beside the best nu: sqrt(h)·alpha and h·alpha.
COMPARED = (0.5, 1.0)
#: Redraws behind the sensitivity's intervals.
FEWER = 40


def collapse_law(found: Measurements, prediction: Prediction, values: NDArray) -> Finding:
    """Find the nu for which ``values`` is one function of alpha·h^nu inside the prediction's regime.

    Parameters
    ----------
    found : Measurements
    prediction : Prediction
        Its statistic says whether seeds are averaged in the logarithm or in the square.
    values : ndarray of shape (width, amplitude, seed)
        Positive; NaN where there is none.
    """
    cells = window(found, prediction)
    seen = np.isfinite(values) & (values > 0) & cells[..., None]
    seeds = seen.any(axis=1).sum(axis=1)
    amplitudes = seen.any(axis=2).sum(axis=1)
    enough = (seeds >= MIN_SEEDS) & (amplitudes >= MIN_AMPLITUDES)
    refusal = None
    if enough.sum() < MIN_WIDTHS:
        refusal = (
            f"{enough.sum()} widths have {MIN_SEEDS} seeds at {MIN_AMPLITUDES} amplitudes in the window, "
            f"and {MIN_WIDTHS} are needed to see curves collapse"
        )

    def fit(part: NDArray, keep: NDArray, replicas: int) -> Collapse | None:
        here = seen & part[..., None] & keep[:, None, None]
        if (here.any(axis=(1, 2)).sum() < 2) or here.sum() < 6:
            return None
        alpha = (found.root_h_alpha / np.sqrt(found.widths)[:, None])[..., None]
        columns = (alpha, found.widths[:, None, None], values, np.arange(values.shape[2]))
        alpha, size, y, seed = (np.broadcast_to(column, values.shape)[here] for column in columns)
        statistic: Literal["mean", "rms"] = "rms" if prediction.statistic == "rms" else "mean"
        try:
            return collapse(
                alpha,
                size,
                y,
                seed,
                statistic=statistic,
                compare=COMPARED,
                replicas=replicas,
            )
        except InputError:  # no overlap
            return None

    everything = np.ones(len(found.widths), dtype=bool)
    result = fit(cells, everything, 100) if enough.sum() > 1 else None
    sensitivity = []
    if result is not None and refusal is None:
        for name, part in trimmed(cells, found.root_h_alpha):
            sensitivity.append(_row(name, fit(part, everything, FEWER)))
        if len(found.widths) > MIN_WIDTHS:
            wider = found.widths > found.widths.min()
            sensitivity.append(_row("without the narrowest width", fit(cells, wider, FEWER)))
    if result is None and refusal is None:
        refusal = "the curves of the widths share too short a range"
    return Finding(
        estimate=None if result is None else result.nu,
        range=range_of(cells & seen.any(axis=2), found),
        n_points=int(seen.any(axis=2).sum()),
        n_seeds=int(seeds.max(initial=0)),
        n_widths=int((seeds > 0).sum()),
        sensitivity=sensitivity,
        refusal=refusal,
        notes=() if result is None else (_quality(result),),
        **exclusions(found, cells),
    )


def _row(name: str, result: Collapse | None) -> dict:
    return sensitivity_row(name, None if result is None else result.nu)


def _quality(result: Collapse) -> str:
    others = ", ".join(
        f"{quality:.2g} in {'sqrt(h)' if nu == COMPARED[0] else 'h'}·alpha"
        for nu, quality in result.quality_at.items()
        if np.isfinite(quality)
    )
    return f"the quality of the collapse is S = {result.quality:.2g}" + (f" (S = {others})" if others else "")
