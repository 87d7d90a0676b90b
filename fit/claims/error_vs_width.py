"""How the test error approaches its limit as networks get wider."""

import numpy as np
from numpy.typing import NDArray

from fit.estimators.least_squares import ModelFit
from fit.estimators.offset_power import offset_power
from fit.findings.error_differences import data_used, mean_in_cells
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import measures
from fit.findings.window import sensitivity_row, trimmed, whole_grid
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from theory.prediction import Prediction

#: Widths needed: three numbers are fitted to them (the limit, the prefactor and the power).
MIN_WIDTHS_OF_A_LIMIT = 5


@measures(needs=("test_error",), group="Test error")
def error_vs_width(experiment: Measurements, prediction: Prediction) -> Finding:
    """Fit test error = error(infinity) + c·h^p over (width, seed) pairs, each averaged over the grid's amplitudes."""
    errors = experiment.network("test_error")
    cells = whole_grid(experiment)
    values = mean_in_cells(errors, cells)
    complete = is_finite(values) & (values > 0)
    used = data_used(experiment, cells, complete)
    enough = int((complete.sum("seed") >= MIN_SEEDS).sum())
    if enough < MIN_WIDTHS_OF_A_LIMIT:
        too_few_widths = (
            f"{enough} widths have {MIN_SEEDS} complete seeds, and {MIN_WIDTHS_OF_A_LIMIT} are needed to fit a limit"
        )
        return Finding(undecided_because=too_few_widths, **used)
    width, error, in_fit = width_of_pairs(values), pairs(values), pairs(complete)

    def fit(error: NDArray, keep: NDArray) -> ModelFit:
        part = keep & np.isfinite(error) & (error > 0)
        return offset_power(width[part], error[part], np.arange(part.sum()))

    try:
        fitted = fit(error, in_fit)
    except InputError as refused:
        return Finding(undecided_because=refused.problem, **used)
    rows = []
    for name, values_of_pairs, keep in (
        *((name, pairs(mean_in_cells(errors, part)), in_fit) for name, part in trimmed(cells, experiment.root_h_alpha)),
        ("without the narrowest width", error, in_fit & (width > width.min())),
        ("without the widest width", error, in_fit & (width < width.max())),
    ):
        try:
            rows.append(sensitivity_row(name, fit(values_of_pairs, keep)["exponent"]))
        except InputError:  # too few widths or amplitudes are left
            rows.append(sensitivity_row(name, None))
    limit = fitted["offset"]
    note = f"the error tends to {limit.value:.2%} ({limit.interval()[0]:.2%} to {limit.interval()[1]:.2%})"
    power = fitted["exponent"].value
    undecided_because = None
    if not _resolved(experiment.widths, power):
        undecided_because = (
            f"the fitted power, {power:.2f}, is at the edge of what these widths resolve: the excess over the limit "
            "hardly changes over them, or has vanished at the second one"
        )
    return Finding(
        estimate=fitted["exponent"], sensitivity=rows, notes=(note,), undecided_because=undecided_because, **used
    )


def _resolved(widths: NDArray, power: float) -> bool:
    """Return whether an excess ~ h^power falls over the widths, and has not vanished at the second one.

    Where it is not, the fit sits at an edge (a step at the narrowest width, or a straight line in log h), and the
    curvature there says nothing of the error.
    """
    first, second, last = widths[0], widths[1], widths[-1]
    return bool((last / first) ** power <= 0.9 and (second / first) ** power >= 0.1)
