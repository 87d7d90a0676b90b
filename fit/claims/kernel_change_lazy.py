"""How far the kernel moves in the lazy regime, as a power of A and of h."""

from fit.findings.finding import Finding
from fit.findings.power_law import power_law
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("kernel_change",), group="Kernel")
def kernel_change_lazy(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power; a predicted correction is fitted along."""
    return power_law(experiment, prediction)
