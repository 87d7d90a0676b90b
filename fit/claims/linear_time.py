"""The end of linear dynamics, t1."""

from fit.findings.finding import Finding
from fit.findings.power_law import power_law
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("time_linear",), group="Times", column="t1")
def linear_time(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power; a predicted correction is fitted along."""
    return power_law(experiment, prediction)
