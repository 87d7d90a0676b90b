"""Judge predictions by measurements."""

from fit.curves.goodness import CurveFit, curve_fit, goodness_of_fit
from fit.estimators.collapse import Collapse, collapse
from fit.estimators.estimate import Estimate
from fit.estimators.models import ModelFit, corrected_power, joint, offset_power, segmented, smooth_crossover
from fit.estimators.paired import paired
from fit.estimators.slopes import exponent
from fit.judge.assess import assess
from fit.judge.verdict import Verdict
from fit.user_predictions import prediction, read_predictions

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
