"""How far the weights move in the lazy regime."""

from fit.findings.power_law import measured_as_power

weight_change_lazy = measured_as_power("weight_change_lazy", needs=("weight_change",), group="Weights")
