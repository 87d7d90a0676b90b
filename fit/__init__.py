"""Judge predictions by measurements."""

from fit.assess import assess
from fit.collapse import Collapse, collapse
from fit.estimators import exponent
from fit.intervals import Estimate
from fit.models import ModelFit, corrected_power, joint, offset_power, segmented, smooth_crossover
from fit.own_predictions import prediction, read_predictions
from fit.paired import paired
from fit.verdict import Verdict

__all__ = [
    "Collapse",
    "Estimate",
    "ModelFit",
    "Verdict",
    "assess",
    "collapse",
    "corrected_power",
    "exponent",
    "joint",
    "offset_power",
    "paired",
    "prediction",
    "read_predictions",
    "segmented",
    "smooth_crossover",
]
