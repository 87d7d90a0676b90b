"""A number that theory predicts without a free parameter: measured over predicted is 1, within the margin."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from fit.estimators.estimate import Estimate
from fit.findings.finding import Finding
from fit.findings.outcome import LEVEL, Outcome
from theory.prediction import Prediction

#: How many points a predicted curve is drawn through.
_DRAWN = 60


def judged_ratio(prediction: Prediction, ratio: Estimate, measured_quantity: str, data: dict[str, Any]) -> Finding:
    """Judge whether ``ratio``, measured over predicted, is 1 within the prediction's margin: the rule of exponents.

    Parameters
    ----------
    prediction : Prediction
        With a margin, and no exponent.
    ratio : Estimate
    measured_quantity : str
        What is compared, as the subject of "is 1.02 of the predicted one".
    data : dict
        Further keywords of the `Finding`.
    """
    margin = prediction.margin
    assert margin is not None, f"{prediction.claim} has no margin"
    low90, high90 = ratio.interval(0.90)
    low95, high95 = ratio.interval(0.95)
    band = f"1 ± {margin:g}"
    numbers = f"{measured_quantity} is {ratio.value:.2f} of the predicted one"
    against = ratio.p_value_within(1.0, margin)
    outcome: Outcome = "inconclusive"
    reason = f"{numbers}, and its 95 % interval [{low95:.2f}, {high95:.2f}] lies neither inside {band} nor outside"
    if 1.0 - margin <= low90 and high90 <= 1.0 + margin:
        outcome = "consistent"
        reason = f"{numbers}: the 90 % interval [{low90:.2f}, {high90:.2f}] lies inside {band}"
    elif against < LEVEL:
        outcome = "inconsistent"
        reason = f"{numbers}: the 95 % interval [{low95:.2f}, {high95:.2f}] lies wholly outside {band}"
    return Finding(
        estimate=ratio, compared_with=1.0, outcome=outcome, reason=reason, p_value_against=against, **data
    )  # fmt: skip


def with_predicted_curve(points: xr.Dataset, x: NDArray, y: ArrayLike, sentence: str) -> xr.Dataset:
    """Return the points of a figure (`fit.findings.figure_points`) with the predicted curve, and what they are of.

    ``sentence`` stands in the caption. The contract of `fit.Verdict.points` has the attributes ``predicted_x``,
    ``predicted_y``, ``sentence``.
    """
    attributes = {"predicted_x": np.asarray(x), "predicted_y": np.asarray(y), "sentence": sentence}
    return points.assign_attrs(attributes)


def curve_abscissa(x: NDArray) -> NDArray:
    """Return the abscissae that a predicted curve over the range of ``x`` is drawn through."""
    return np.geomspace(x.min(), x.max(), _DRAWN)
