"""Judge predictions by measurements."""

from fit.assess import assess
from fit.collapse import Collapse, collapse
from fit.estimators import exponent
from fit.goodness import CurveFit, curve_fit, goodness_of_fit
from fit.intervals import Estimate
from fit.models import ModelFit, corrected_power, joint, offset_power, segmented, smooth_crossover
from fit.own_predictions import prediction, read_predictions
from fit.paired import paired
from fit.verdict import Verdict

__all__ = [
    "Collapse",
    "CurveFit",
    "Estimate",
    "ModelFit",
    "Verdict",
    "assess",
    "collapse",
    "corrected_power",
    "curve_fit",
    "exponent",
    "goodness_of_fit",
    "joint",
    "offset_power",
    "paired",
    "prediction",
    "read_predictions",
    "segmented",
    "smooth_crossover",
]
