"""How far the weights move in the feature regime; the correction from their initial size is fitted too."""

from fit.findings.power_law import measured_as_power

weight_change_feature = measured_as_power(
    "weight_change_feature", needs=("weight_change",), group="Weights", column="weights"
)
