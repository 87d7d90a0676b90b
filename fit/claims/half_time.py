"""The time to fit half, t_half: a power of A, or A·ln(1/A) where growth is exponential."""

from fit.findings.finding import Finding
from fit.findings.logarithmic_law import logarithmic_law
from fit.findings.power_law import power_law, symbol
from fit.findings.registry import measures
from fit.measurements.measurements import Measurements
from theory.prediction import Form, Prediction


@measures(needs=("time_half",), group="Times", column="t_half")
def half_time(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of A, or judge the logarithm, as the prediction has it."""
    if prediction.form is Form.LOGARITHM and prediction.claimed:
        times = experiment.network("time_half")
        return logarithmic_law(experiment, prediction, times, symbol("time_half"))
    return power_law(experiment, prediction)
