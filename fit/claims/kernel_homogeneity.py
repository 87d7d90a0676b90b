"""How the kernel change depends on A/F, F the rms output at the stop: a power that homogeneity alone fixes."""

import dataclasses

from fit.findings.amplitude_power import log_amplitude_over_output, power_of_abscissa
from fit.findings.finding import Finding
from fit.findings.networks import logarithms
from fit.findings.power_law import symbol
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("kernel_change", "test_output"), group="Kernel")
def kernel_homogeneity(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of A/F within each family of networks that share their initial weights, in the window of A.

    F is the root of the mean square over test points. The sensitivity has the estimate with the predicted correction,
    with one coefficient for all networks.
    """
    logs = logarithms(experiment.network("kernel_change"), prediction.statistic)
    log_ratio, logs = log_amplitude_over_output(experiment, logs)
    finding = power_of_abscissa(
        experiment, prediction, log_ratio, logs, symbol("kernel_change"), name=prediction.variable
    )
    return dataclasses.replace(finding, reservations=finding.contradictions(prediction))
