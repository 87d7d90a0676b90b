"""How far the kernel moves in the feature regime, and whether the flow ends in a direction that depends on A."""

import dataclasses

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.amplitude_power import amplitude_power, slope_in
from fit.findings.finding import Finding
from fit.findings.networks import is_finite, log, logarithms
from fit.findings.power_law import symbol
from fit.findings.registry import measures
from fit.findings.window import sensitivity_row, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: A drift of the outputs at the stop is noted where it moves the kernel's exponent by more than half its margin.
NOTED_DRIFT = 0.04


@measures(needs=("kernel_change",), group="Kernel", column="kernel")
def kernel_change_feature(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of A; beside it, that of A/F, F the rms output at the stop.

    What the derivation says is kernel_change ~ f^a, with f = F/alpha at the stop. The stop fixes the smallest margin:
    if the outputs on the other points grow towards A -> 0, a few points are the harder to fit the smaller A, and the
    power of A is a(1 - d ln F/d ln A) instead. So the sensitivity has the power of A/F as well, from which that drops
    out.
    """
    logs = logarithms(experiment.network("kernel_change"), prediction.statistic)
    finding = amplitude_power(experiment, prediction, logs, symbol("kernel_change"))
    if "test_output" not in experiment or prediction.exponent is None or finding.estimate is None:
        return finding
    drift, instead = powers_at_the_stop(experiment, prediction, logs)
    if drift is None:
        return finding
    rows = [
        sensitivity_row("against A/F, F = rms output at the stop, for A", instead),
        sensitivity_row("power of A of that output (0: its direction does not depend on A)", drift),
    ]
    notes = finding.notes
    if abs(drift.value * float(prediction.exponent)) > NOTED_DRIFT and instead is not None:
        notes += (
            f"outputs F at the stop go as A^({drift.value:+.2f}), so that the direction in which the flow ends depends "
            f"on A, which the derivation excludes; the power of A/F is {instead.value:.3f}",
        )
    return dataclasses.replace(finding, sensitivity=finding.sensitivity + rows, notes=notes)


def powers_at_the_stop(
    experiment: Measurements, prediction: Prediction, logs: xr.DataArray
) -> tuple[Estimate | None, Estimate | None]:
    """Estimate the power of A of the rms output F at the stop, and the power of A/F of what ``logs`` are of.

    Both in the window of the prediction.
    """
    cells = window(experiment, prediction)
    output = log(experiment.output_rms)
    amplitude = log(experiment.root_h_alpha)
    both = is_finite(output) & is_finite(logs)
    return (
        slope_in(cells, amplitude, output.where(both)),
        slope_in(cells, (amplitude - output).where(both, amplitude), logs.where(both)),
    )
