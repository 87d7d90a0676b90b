"""How long training takes at fixed A, as a power of h."""

from fit.findings.power_law import measured_as_power
from fit.findings.wide_networks import power_of_wide_networks

time_collapse = measured_as_power("time_collapse", needs=("time_half",), group="Times", measure=power_of_wide_networks)
