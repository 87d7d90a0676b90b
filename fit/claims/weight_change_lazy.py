"""How far weights move in the lazy regime."""

from fit.findings.finding import Finding
from fit.findings.power_law import power_law
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("weight_change",), group="Weights")
def weight_change_lazy(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power; a predicted correction is fitted along."""
    return power_law(experiment, prediction)
