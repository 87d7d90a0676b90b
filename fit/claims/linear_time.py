"""The end of linear dynamics, t1: its power of A, and the nu of alpha·h^nu that it is a power of."""

import dataclasses

import numpy as np
import xarray as xr

from fit.estimators.estimate import Estimate
from fit.estimators.joint import joint
from fit.findings.finding import Finding
from fit.findings.networks import logarithms
from fit.findings.power_law import power_law
from fit.findings.registry import measures
from fit.findings.width_power import mean_in_window, pooled_sensitivity, pooled_width_power
from fit.findings.window import sensitivity_row, window
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.prediction import Prediction


@measures(needs=("time_linear",), group="Times", column="t1")
def linear_time(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of A, which holds by construction, or nu, the power of h at fixed alpha, which need not."""
    if prediction.variable != "width":
        return power_law(experiment, prediction)
    times = experiment.network("time_linear")
    logs = logarithms(times / experiment.alpha, prediction.statistic)
    cells = window(experiment, prediction)

    def pool(part: xr.DataArray) -> xr.DataArray:
        return mean_in_window(experiment, logs, part)

    finding = pooled_width_power(experiment, pool, cells, r"t_1/\alpha")
    rows = [
        *pooled_sensitivity(pool, cells, experiment),
        sensitivity_row("α and h in one fit, both powers free", _nu(experiment, times.where(cells))),
    ]
    return dataclasses.replace(finding, sensitivity=rows + finding.sensitivity)


def _nu(experiment: Measurements, times: xr.DataArray) -> Estimate | None:
    """Return nu in t1 ~ (alpha h^nu)^p, p free, each (width, seed) a cluster; None where it can't be fitted."""
    order = ("width", "seed", "amplitude")
    values = times.transpose(*order).values
    alpha = experiment.alpha.broadcast_like(times).transpose(*order).values
    width = np.broadcast_to(experiment.widths[:, None, None], values.shape)
    cluster = np.broadcast_to(np.arange(values.shape[0] * values.shape[1]).reshape(*values.shape[:2], 1), values.shape)
    used = np.isfinite(values) & (values > 0)
    try:
        return joint(alpha[used], width[used], values[used], cluster[used])["nu"]
    except InputError:  # one width, or too few networks
        return None
