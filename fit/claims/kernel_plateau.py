"""The kernel change at large A of networks that keep f_0 in F, as a power of h."""

from fit.findings.finding import Finding
from fit.findings.power_law import power_law
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("kernel_change",), group="Kernel")
def kernel_plateau(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of h, pooled over the amplitudes of the window."""
    return power_law(experiment, prediction)
