"""Laws of the frozen kernel's inverse, which is that of infinite width only where h is not below the points' number."""

from __future__ import annotations

import math

from fit.findings.finding import MIN_WIDTHS, Finding
from fit.findings.power_law import power_law
from fit.measurements.measurements import Measurements
from lazyrich.wording import counted
from theory.prediction import Prediction


def power_of_wide_networks(experiment: Measurements, prediction: Prediction) -> Finding:
    """Estimate the power of h; in the lazy regime, of networks whose width is at least the number of training points.

    What a frozen kernel moves its weights by, and how long it takes, are sums over its inverse eigenvalues. The
    smallest ones of n points scatter by a share n/h: narrower networks are slower, and move farther.
    """
    if prediction.regime.name != "lazy":
        return power_law(experiment, prediction)
    points = experiment.description.get("n_train")
    if points is None:
        return Finding(undecided_because="not measured: the source does not say how many training points there are")
    wide = experiment.within(float(points), math.inf)
    if len(wide.widths) < MIN_WIDTHS:
        wide_enough = counted(len(wide.widths), "width")
        refusal = f"{wide_enough} no smaller than the {points} training points, and {MIN_WIDTHS} are needed"
        return Finding(undecided_because=refusal)
    return power_law(wide, prediction)
