"""How far weights move at fixed A, as a power of h."""

from fit.findings.finding import Finding
from fit.findings.registry import measures
from fit.findings.wide_networks import power_of_wide_networks
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("weight_change",), group="Weights")
def weight_collapse(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of h, pooled over the amplitudes of the window."""
    return power_of_wide_networks(experiment, prediction)
