"""How far the kernel moves in the lazy regime, as a power of A and of h."""

from fit.findings.power_law import measured_as_power

kernel_change_lazy = measured_as_power("kernel_change_lazy", needs=("kernel_change",), group="Kernel")
