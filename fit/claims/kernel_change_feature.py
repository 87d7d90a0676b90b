"""How far the kernel moves in the feature regime, and whether the flow ends in a direction that depends on A."""

import dataclasses

import xarray as xr

from fit.estimators.estimate import Estimate
from fit.findings.amplitude_power import amplitude_power, log_amplitude_over_output, slope_in
from fit.findings.finding import Finding
from fit.findings.networks import is_finite, log, logarithms
from fit.findings.outcome import LEVEL
from fit.findings.power_law import symbol
from fit.findings.registry import measures
from fit.findings.window import sensitivity_row, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: A drift of the outputs at the stop that moves the kernel's exponent by less than this part of its margin is none.
NEGLIGIBLE_DRIFT = 0.1


@measures(needs=("kernel_change",), group="Kernel", column="kernel")
def kernel_change_feature(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of A; beside it, that of A/F, F the rms output at the stop.

    The derivation gives kernel_change ~ f^a, with f = F/alpha at the stop. The stop fixes the smallest margin only:
    where a few points are harder to fit the smaller A is, the outputs on the other points grow towards A -> 0, and the
    power of A is a(1 - d ln F/d ln A) instead. So the sensitivity has the power of A/F as well, from which this drift
    drops out. Where F drifts the premise of the law in A is not met: there is no verdict, unless the power of A/F
    contradicts theory as well. Nor is there a bare `consistent` where a row of the sensitivity lies outside the margin.
    """
    logs = logarithms(experiment.network("kernel_change"), prediction.statistic)
    finding = amplitude_power(experiment, prediction, logs, symbol("kernel_change"))
    if "test_output" not in experiment or prediction.exponent is None or finding.estimate is None:
        return dataclasses.replace(finding, reservations=finding.contradictions(prediction))
    drift, power_of_ratio = _powers_with_output(experiment, prediction, logs)
    if drift is None or power_of_ratio is None:
        return dataclasses.replace(finding, reservations=finding.contradictions(prediction))
    finding.sensitivity.append(sensitivity_row("power of A/F, F the rms output at the stop", power_of_ratio))
    reservations = finding.contradictions(prediction)
    finding.sensitivity.append(
        sensitivity_row("power of A of F itself, 0 if the direction of the output does not depend on A", drift)
    )
    notes = finding.notes
    shift = abs(drift.value * float(prediction.exponent))  # of the power of A
    if drift.p_value(0.0) < LEVEL and shift > NEGLIGIBLE_DRIFT * (prediction.margin or 0.0):
        low, high = drift.interval()
        clause = (
            f"the outputs F at the stop drift as A^({drift.value:+.3f}) [{low:+.3f}, {high:+.3f}], so that the "
            "direction in which the flow ends depends on A, whereas the derivation takes it to be fixed; the power of "
            f"A/F is {power_of_ratio.value:.3f}"
        )
        in_short = f"outputs drift as A^({drift.value:+.2f})".replace("-", "−")
        finding = dataclasses.replace(finding, in_short=finding.in_short or in_short)
        if finding.undecided_because is None and not _outside(power_of_ratio, prediction):
            finding = dataclasses.replace(finding, outcome="inconclusive", reason=clause)
        else:
            reservations, notes = (clause, *reservations), (*notes, clause)
    return dataclasses.replace(finding, notes=notes, reservations=reservations)


def _outside(estimate: Estimate, prediction: Prediction) -> bool:
    """Whether the 95 % interval lies wholly outside the margin."""
    assert prediction.exponent is not None, "a power is compared"
    low, high = estimate.interval()
    return abs(0.5 * (low + high) - float(prediction.exponent)) > (prediction.margin or 0.0) + 0.5 * (high - low)


def _powers_with_output(
    experiment: Measurements, prediction: Prediction, logs: xr.DataArray
) -> tuple[Estimate | None, Estimate | None]:
    """Estimate the power of A of the rms output F at the stop, and the power of A/F of the quantity behind ``logs``.

    Both in the window of the prediction.
    """
    cells = window(experiment, prediction)
    log_ratio, logs = log_amplitude_over_output(experiment, logs)
    log_output = log(experiment.output_rms).where(is_finite(log_ratio))
    return slope_in(cells, log(experiment.root_h_alpha), log_output), slope_in(cells, log_ratio, logs)
