"""Whether the kernel change at fixed A depends on the width: its power of h."""

from fit.findings.power_law import measured_as_power

collapse = measured_as_power("collapse", needs=("kernel_change",), group="Kernel")
