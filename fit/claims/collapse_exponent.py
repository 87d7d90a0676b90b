"""The nu for which the kernel changes of all widths fall on one curve in alpha·h^nu."""

from fit.findings.collapse_law import collapse_law
from fit.findings.finding import Finding
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("kernel_change",), group="Kernel")
def collapse_exponent(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate nu by data collapse."""
    return collapse_law(experiment, prediction, experiment.network("kernel_change"))
