"""Whether whole curves that theory gives without a free parameter fit: shown beside verdicts, never deciding them.

A verdict is about a power in a window, with a margin; a curve has no margin, so that enough networks will always show a
deviation where the curve is an asymptote. A small p-value says that a deviation is seen, the ratio how large it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fit.curves.goodness import CurveFit, goodness_of_fit
from fit.curves.theory_curves import TheoryCurve
from fit.findings.outcome import LEVEL
from fit.judge.verdict import Verdict
from fit.measurements.measurements import SAME_AMPLITUDE, Measurements
from lazyrich.errors import InputError


def with_agreement(
    verdicts: Sequence[Verdict], experiments: Sequence[Measurements], curves: Sequence[TheoryCurve]
) -> list[Verdict]:
    """Return the verdicts with the goodness of fit of the curves of their quantity that overlap their window."""
    by_name = {experiment.name: experiment for experiment in experiments}
    rows = [(curve, row) for curve in curves if (row := agreement(by_name[curve.experiment], curve)) is not None]
    return [
        dataclasses.replace(verdict, goodness=[row for curve, row in rows if _overlaps(verdict, curve, row)])
        for verdict in verdicts
    ]


def agreement(experiment: Measurements, curve: TheoryCurve) -> dict[str, Any] | None:
    """Compare a curve with the widest networks, at the amplitudes where it is exact enough; None with too few seeds.

    Returns
    -------
    dict
        curve, width, low, high (of A), n_points, n_seeds; residual, expected_residual and p_value (see `fit.CurveFit`);
        ratio, ratio_low, ratio_high: measured over predicted, geometric mean over the points, with its 95 % interval;
        says: whether it deviates, in words; where: where the curve is exact.
    """
    if curve.quantity not in experiment:
        return None
    amplitude = experiment.root_h_alpha.isel(width=-1).values
    low, high = curve.compared_at
    matches = np.abs(np.log(amplitude[:, None] / curve.root_h_alpha)) < SAME_AMPLITUDE
    compared = (
        matches.any(axis=1) & (amplitude >= low * (1 - SAME_AMPLITUDE)) & (amplitude <= high * (1 + SAME_AMPLITUDE))
    )
    column = matches[compared].argmax(axis=1)
    if not len(column):
        return None
    widest = experiment.network(curve.quantity).isel(width=-1, amplitude=compared)
    measured = widest.transpose("seed", "amplitude").values
    try:
        if curve.networks is None:
            error = None if curve.relative_error is None else curve.relative_error[column] * curve.value[column]
            fit = goodness_of_fit(measured, curve.value[column], error)
        else:  # of each network its own prediction
            seeds = experiment.data["seed"].values[: len(curve.networks)]
            if not np.all(seeds == np.arange(len(curve.networks))):
                return None
            fit = goodness_of_fit(measured[: len(seeds)] / curve.networks[:, column], np.ones(len(column)))
    except InputError:  # too few seeds, or a quantity without a logarithm
        return None
    ratio_low, ratio_high = fit.log_ratio.interval()
    return {
        "curve": curve.label,
        "width": float(experiment.widths[-1]),
        "low": float(amplitude[compared].min()),
        "high": float(amplitude[compared].max()),
        "n_points": fit.n_points,
        "n_seeds": fit.n_seeds,
        "residual": fit.residual,
        "expected_residual": fit.expected_residual,
        "p_value": fit.p_value,
        "ratio": math.exp(fit.log_ratio.value),
        "ratio_low": math.exp(ratio_low),
        "ratio_high": math.exp(ratio_high),
        "says": _in_words(fit),
        "where": curve.where,
    }


def _overlaps(verdict: Verdict, curve: TheoryCurve, row: Mapping[str, Any]) -> bool:
    same = (verdict.experiment, verdict.quantity, verdict.variable)
    low, high = verdict.range.get("low"), verdict.range.get("high")
    if same != (curve.experiment, curve.quantity, "root_h_alpha") or low is None or high is None:
        return False
    return bool(row["low"] <= high * (1 + SAME_AMPLITUDE) and low <= row["high"] * (1 + SAME_AMPLITUDE))


def _in_words(fit: CurveFit) -> str:
    if fit.p_value >= LEVEL:
        return "no significant deviation"
    return f"deviates significantly, by {fit.log_rms:.1%} (rms)"
