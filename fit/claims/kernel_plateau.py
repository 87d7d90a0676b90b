"""The kernel change at large A of networks that keep f_0 in F, as a power of h."""

from fit.findings.power_law import measured_as_power

kernel_plateau = measured_as_power("kernel_plateau", needs=("kernel_change",), group="Kernel")
