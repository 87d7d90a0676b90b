"""How the test error approaches its limit as networks get wider."""

import numpy as np
from numpy.typing import NDArray

from fit.estimators.least_squares import ModelFit
from fit.estimators.offset_power import offset_power
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import measures
from fit.findings.shares import counts, mean_in_cells
from fit.findings.window import sensitivity_row, trimmed, whole_grid
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.prediction import Prediction

#: Three are fitted: the limit, a factor and a power.
MIN_WIDTHS_OF_A_LIMIT = 5


@measures(needs=("test_error",), group="Test error")
def error_vs_width(experiment: Measurements, prediction: Prediction) -> Finding:
    """Fit test error = error(infinity) + c·h^p over (width, seed) pairs, each averaged over the grid's amplitudes."""
    errors = experiment.network("test_error")
    cells = whole_grid(experiment)
    values = mean_in_cells(errors, cells)
    complete = is_finite(values) & (values > 0)
    data = counts(experiment, cells, complete)
    enough = int((complete.sum("seed") >= MIN_SEEDS).sum())
    # three coefficients of the width: the power, the limit, and how far from it
    if enough < MIN_WIDTHS_OF_A_LIMIT:
        refusal = (
            f"{enough} widths have {MIN_SEEDS} complete seeds, and {MIN_WIDTHS_OF_A_LIMIT} are needed to see a limit"
        )
        return Finding(refusal=refusal, **data)
    width, error, used = width_of_pairs(values), pairs(values), pairs(complete)

    def fit(error: NDArray, keep: NDArray) -> ModelFit:
        part = keep & np.isfinite(error) & (error > 0)
        return offset_power(width[part], error[part], np.arange(part.sum()))

    try:
        fitted = fit(error, used)
    except InputError as refused:
        return Finding(refusal=refused.problem, **data)
    rows = []
    for name, other, keep in (
        *((name, pairs(mean_in_cells(errors, part)), used) for name, part in trimmed(cells, experiment.root_h_alpha)),
        ("without the narrowest width", error, used & (width > width.min())),
        ("without the widest width", error, used & (width < width.max())),
    ):
        try:
            rows.append(sensitivity_row(name, fit(other, keep)["exponent"]))
        except InputError:  # too few widths or amplitudes are left
            rows.append(sensitivity_row(name, None))
    limit = fitted["offset"]
    note = f"the error tends to {limit.value:.2%} ({limit.interval()[0]:.2%} to {limit.interval()[1]:.2%})"
    power = fitted["exponent"].value
    refusal_of_edge = None
    if not _visible(experiment.widths, power):
        refusal_of_edge = (
            f"these widths can't tell a power of {power:.2f} from no excess over the limit, or from no limit"
        )
    return Finding(estimate=fitted["exponent"], sensitivity=rows, notes=(note,), refusal=refusal_of_edge, **data)


def _visible(widths: NDArray, power: float) -> bool:
    """Whether an excess ~ h^power falls over the widths, and is not gone at the second one.

    Where it is not, the fit sits at an edge (a step at the narrowest width, or a straight line in log h), and the
    curvature there says nothing of the error.
    """
    first, second, last = widths[0], widths[1], widths[-1]
    return bool((last / first) ** power <= 0.9 and (second / first) ** power >= 0.1)
