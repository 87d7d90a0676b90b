"""How the kernel follows the output: the power of A/F, F the rms output at the stop, which homogeneity alone fixes."""

import dataclasses

from fit.findings.amplitude_power import power_of_abscissa
from fit.findings.finding import Finding
from fit.findings.networks import is_finite, log, logarithms
from fit.findings.power_law import symbol
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("kernel_change", "test_output"), group="Kernel")
def kernel_homogeneity(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of A/F within each family of networks, in the window of A.

    F is the root of the mean square over test points. The predicted correction has its row in the sensitivity, with one
    coefficient for all networks.
    """
    logs = logarithms(experiment.network("kernel_change"), prediction.statistic)
    log_output = log(experiment.output_rms)
    measured = is_finite(log_output) & is_finite(logs)
    abscissa = (log(experiment.root_h_alpha) - log_output).where(measured)
    finding = power_of_abscissa(
        experiment, prediction, abscissa, logs.where(measured), symbol("kernel_change"), name=prediction.variable
    )
    return dataclasses.replace(finding, reservations=finding.contradictions(prediction))
