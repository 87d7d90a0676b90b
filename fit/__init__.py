"""Judge predictions by measurements."""

from fit.assess import assess
from fit.estimators import exponent
from fit.intervals import Estimate
from fit.own_predictions import prediction, read_predictions
from fit.verdict import Verdict

__all__ = ["Estimate", "Verdict", "assess", "exponent", "prediction", "read_predictions"]
