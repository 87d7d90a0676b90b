"""Judge predictions by measurements."""

from importlib.util import find_spec

if (_lazyrich := find_spec("lazyrich")) is not None and _lazyrich.submodule_search_locations is None:
    raise SystemExit(f"error: {_lazyrich.origin} hides the package lazyrich. Rename it.")

from lazyrich.hidden import refuse_hidden

refuse_hidden("theory", "simulate")

from fit.curves.goodness import CurveFit, curve_agreement, curve_fit, goodness_of_fit
from fit.estimators.collapse import Collapse, collapse
from fit.estimators.corrected_power import corrected_power
from fit.estimators.estimate import Estimate
from fit.estimators.exponent import exponent
from fit.estimators.joint import joint
from fit.estimators.least_squares import ModelFit
from fit.estimators.offset_power import offset_power
from fit.estimators.paired import paired
from fit.estimators.segmented import segmented
from fit.estimators.smooth_crossover import smooth_crossover
from fit.judge.assess import assess
from fit.judge.verdict import Verdict
from fit.judge.verdicts import Verdicts
from fit.report.plots import plot_law, plot_laws, plot_phase_diagram
from fit.user_predictions import prediction, read_predictions

__all__ = [
    "Collapse",
    "CurveFit",
    "Estimate",
    "ModelFit",
    "Verdict",
    "Verdicts",
    "assess",
    "collapse",
    "corrected_power",
    "curve_agreement",
    "curve_fit",
    "exponent",
    "goodness_of_fit",
    "joint",
    "offset_power",
    "paired",
    "plot_law",
    "plot_laws",
    "plot_phase_diagram",
    "prediction",
    "read_predictions",
    "segmented",
    "smooth_crossover",
]
