"""How large the network's output f = F/alpha is at t1, as a power of h."""

from fit.findings.finding import Finding
from fit.findings.networks import logarithms
from fit.findings.power_law import power_of
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("output_rms_linear",), group="Outputs")
def output_growth(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of rms f(t1)."""
    output = experiment.network("output_rms_linear") / experiment.alpha
    return power_of(experiment, prediction, logarithms(output, prediction.statistic), r"\mathrm{rms}\,f(t_1)")
