"""How fast preactivations of hidden layers move at the beginning, as a power of h at fixed alpha."""

import dataclasses

import xarray as xr

from fit.findings.finding import Finding
from fit.findings.networks import logarithms
from fit.findings.registry import measures
from fit.findings.width_power import pooled_sensitivity, pooled_width_power, slope_of_widths
from fit.findings.window import sensitivity_row, whole_grid
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction


@measures(needs=("preactivation_velocity",), group="Outputs")
def preactivation_velocity(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of h at fixed alpha of the velocity at the first checkpoint.

    The flow starts from weights that do not depend on alpha, with a force ~ 1/alpha: alpha·velocity is free of A, at
    equal initial weights. So the power of h at fixed alpha is that of alpha·velocity, pooled over all amplitudes. The
    hidden layers, those below the last, are averaged in quadrature; the sensitivity has them one by one.
    """
    scaled = experiment.alpha * experiment.initial_velocities
    everywhere = whole_grid(experiment)

    def pool(values: xr.DataArray, cells: xr.DataArray = everywhere) -> xr.DataArray:
        logs = xr.where(cells, logarithms(values, "mean"), 0.0)
        return logs.sum("amplitude", skipna=False) / cells.sum("amplitude").clip(min=1)

    together = (scaled**2).mean("layer", skipna=False) ** 0.5
    finding = pooled_width_power(experiment, lambda cells: pool(together, cells), everywhere, r"\alpha\,|\dot z|")
    layers = pooled_sensitivity(lambda cells: pool(together, cells), everywhere, experiment) + [
        sensitivity_row(f"hidden layer {i + 1}", slope_of_widths(pool(scaled.isel(layer=i))))
        for i in range(scaled.sizes["layer"])
    ]
    return dataclasses.replace(finding, sensitivity=finding.sensitivity + layers)
