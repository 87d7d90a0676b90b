"""Laws that are a power of A or of h in a quantity: a variable of the source, or one derived from it."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from fit.findings.amplitude_power import amplitude_power
from fit.findings.finding import Finding, not_measured
from fit.findings.networks import logarithms
from fit.findings.registry import MeasureFunction, measures
from fit.findings.width_power import width_power
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: how figures write a variable of the store: LaTeX
SYMBOLS = {
    "kernel_change": r"\|\Delta\Theta\|/\|\Theta_0\|",
    "weight_change": r"\|w-w_0\|",
    "time_linear": "t_1",
    "time_half": "t_{1/2}",
}


def symbol(quantity: str) -> str:
    """Return how figures write a quantity: LaTeX."""
    return SYMBOLS.get(quantity, rf"\mathrm{{{quantity.replace('_', ' ')}}}")


def power_law(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of the prediction's variable in its quantity, a variable of the source.

    A predicted correction is fitted along.
    """
    quantity = prediction.quantity
    if quantity not in experiment:
        return not_measured(f"the source does not hold {quantity}")
    if not experiment.is_one_number(quantity):
        return not_measured(f"{quantity} is not one number for each network")
    logs = logarithms(experiment.network(quantity), prediction.statistic)
    corrected = prediction.correction_exponent is not None
    return power_of(experiment, prediction, logs, symbol(quantity), corrected=corrected)


def measured_as_power(
    claim: str,
    *,
    needs: Sequence[str],
    group: str,
    column: str | None = None,
    measure: MeasureFunction = power_law,
) -> MeasureFunction:
    """Make ``measure``, an estimate of a power, that of a claim, and return it.

    Further keywords are those of `fit.findings.registry.measures`.
    """
    return measures(claim=claim, needs=needs, group=group, column=column)(measure)


def power_of(
    experiment: Measurements,
    prediction: Prediction,
    logs: xr.DataArray,
    y_label: str,
    *,
    corrected: bool = False,
    pseudo_values: bool = False,
) -> Finding:
    """Estimate the power of the prediction's variable in what ``logs``, (width, amplitude, seed), are of."""
    if prediction.variable == "root_h_alpha":
        return amplitude_power(experiment, prediction, logs, y_label, corrected=corrected)
    if prediction.variable == "width":
        return width_power(experiment, prediction, logs, y_label, pseudo_values=pseudo_values)
    return not_measured(f"powers of {prediction.variable} are not measured")
