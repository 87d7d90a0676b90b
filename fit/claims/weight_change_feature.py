"""How far weights move in the feature regime, with the correction of their initial size."""

from fit.findings.finding import Finding
from fit.findings.power_law import power_law
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("weight_change",), group="Weights", column="weights")
def weight_change_feature(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power; a predicted correction is fitted along."""
    return power_law(experiment, prediction)
