"""How far a measured exponent is from the predicted one and from its rivals: other depths' and simple fractions."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
from scipy.stats import t as student

from fit.estimators.estimate import Estimate
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.activation import Activation
from theory.prediction import Prediction
from theory.predictions import predictions

#: Powers that anybody would guess, in size.
SIMPLE = tuple(sympy.Rational(k, 2) for k in range(5))


def neighbours(experiment: Measurements, prediction: Prediction) -> dict[str, sympy.Rational]:
    """Return what theory predicts for the same law one layer deeper and one shallower, by name."""
    if experiment.activation is None or experiment.depth is None or prediction.exponent is None:
        return {}
    normalise = bool(experiment.description.get("normalise", True))
    depths = (depth for depth in (experiment.depth - 1, experiment.depth + 1) if depth >= 1)
    law = (prediction.claim, prediction.variable, prediction.regime.label)
    exponents = {depth: _exponents(experiment.activation, normalise, depth).get(law) for depth in depths}
    return {f"L = {depth}": value for depth, value in exponents.items() if value is not None}


def rivals(
    estimate: Estimate | None, prediction: Prediction, of_other_depths: Mapping[str, sympy.Rational]
) -> list[dict[str, Any]]:
    """Return a row for the predicted exponent and each rival: how far the estimate is from it.

    Returns
    -------
    list of dict
        name, exponent (a fraction, as text), value, standard_errors (the distance of the estimate in these), weight:
        the share of the likelihood among the rows, by Student's t with the estimate's degrees of freedom. The nearest
        comes first; empty without an estimate or a prediction.
    """
    if estimate is None or prediction.exponent is None or not estimate.standard_error > 0:
        return []
    sign = -1 if prediction.exponent < 0 else 1
    names: dict[sympy.Rational, str] = {sympy.Rational(prediction.exponent): "predicted"}
    for name, exponent in of_other_depths.items():
        names.setdefault(exponent, name)
    for size in SIMPLE:
        if abs(size - abs(prediction.exponent)) <= 1:
            names.setdefault(sign * size, "simple power")
    distances = np.array([abs(estimate.value - float(e)) / estimate.standard_error for e in names])
    log_likelihood = student.logpdf(distances, estimate.dof)
    weights = np.exp(log_likelihood - log_likelihood.max())
    weights /= weights.sum()
    rows = [
        {"name": name, "exponent": str(exponent), "value": float(exponent), "standard_errors": float(distance),
         "weight": float(weight)}
        for (exponent, name), distance, weight in zip(names.items(), distances, weights, strict=True)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row["standard_errors"])


@functools.lru_cache(maxsize=256)
def _exponents(activation: str, normalise: bool, depth: int) -> dict[tuple[str, str, str], sympy.Rational]:
    try:
        laws = predictions(Activation(activation, normalise=normalise), depth)
    except InputError:  # beyond the depths that theory is asked about
        return {}
    return {(p.claim, p.variable, p.regime.label): p.exponent for p in laws if p.exponent is not None}
