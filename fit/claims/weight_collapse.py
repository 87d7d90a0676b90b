"""How far weights move at fixed A, as a power of h."""

from fit.findings.power_law import measured_as_power
from fit.findings.wide_networks import power_of_wide_networks

weight_collapse = measured_as_power(
    "weight_collapse", needs=("weight_change",), group="Weights", measure=power_of_wide_networks
)
