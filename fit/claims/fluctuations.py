"""Fluctuations of the predictor between initial weights, as a power of h, or of A in a user's law."""

from fit.estimators.jackknife import log_standard_deviation
from fit.findings.finding import Finding
from fit.findings.networks import is_finite
from fit.findings.power_law import power_of
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("test_output",), group="Outputs", figure="collapse", quantity="fluctuation")
def fluctuations(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of delta F, the standard deviation over seeds (rms over test points), by pseudo-values."""
    deviations = experiment.deviations
    logs = deviations.copy(data=log_standard_deviation(deviations.values))
    return power_of(experiment, prediction, logs.where(is_finite(logs)), r"\delta F", pseudo_values=True)
