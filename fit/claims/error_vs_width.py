"""How the test error approaches its limit as networks get wider."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.crossed import MIN_DRAWS, crossed_estimate
from fit.estimators.least_squares import ModelFit
from fit.estimators.offset_power import offset_power
from fit.findings.draws import FEW_DRAWS, compare_draws, counts_over_draws, draw_label, too_few_draws
from fit.findings.error_differences import data_used, mean_in_cells
from fit.findings.finding import MIN_SEEDS, Finding, Minimum
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import Comparison, ExperimentFindings, measures
from fit.findings.window import range_of, sensitivity_row, trimmed, whole_grid
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from lazyrich.wording import counted
from theory.prediction import Prediction

#: Widths needed: three numbers are fitted to them (the limit, the prefactor and the power).
MIN_WIDTHS_OF_A_LIMIT = 5


def over_draws(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Fit the excess over draws of the training points, family by family."""
    return compare_draws(experiments, error_vs_width.__name__, ["test_error"], _over_draws)


@measures(needs=("test_error",), group="Test error", compare=over_draws)
def error_vs_width(experiment: Measurements, prediction: Prediction) -> Finding:
    """Fit test error = error(infinity) + c·h^p over (width, seed) pairs, each averaged over the grid's amplitudes."""
    errors = experiment.network("test_error")
    cells = whole_grid(experiment)
    values = mean_in_cells(errors, cells)
    complete = is_finite(values) & (values > 0)
    used = data_used(experiment, cells, complete)
    well_measured = int((complete.sum("seed") >= MIN_SEEDS).sum())
    if well_measured < MIN_WIDTHS_OF_A_LIMIT:
        too_few_widths = (
            f"{counted(well_measured, 'width')} with {MIN_SEEDS} complete seeds, and {MIN_WIDTHS_OF_A_LIMIT} are needed"
        )
        in_short = f"{well_measured} of {MIN_WIDTHS_OF_A_LIMIT} widths with {MIN_SEEDS} seeds"
        minimum = Minimum(MIN_SEEDS, MIN_WIDTHS_OF_A_LIMIT)
        return Finding(undecided_because=too_few_widths, in_short=in_short, minimum=minimum, **used)
    width, error, in_fit = width_of_pairs(values), pairs(values), pairs(complete)

    def fit(error: NDArray, keep: NDArray) -> ModelFit:
        part = keep & np.isfinite(error) & (error > 0)
        return offset_power(width[part], error[part], np.arange(part.sum()))

    try:
        fitted = fit(error, in_fit)
    except InputError as refused:
        return Finding(undecided_because=refused.problem, in_short="no fit", **used)
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
    undecided_because, note = _limit_in_words(experiment.widths, fitted)
    return Finding(
        estimate=fitted["exponent"], sensitivity=rows, notes=(note,), undecided_because=undecided_because,
        in_short="" if undecided_because is None else "these widths do not resolve it", **used,
    )  # fmt: skip


def _over_draws(members: Sequence[Measurements], prediction: Prediction) -> Finding | None:
    """Fit each draw, and the error of each network's initial weights averaged over the draws."""
    if len(members[0].widths) < MIN_WIDTHS_OF_A_LIMIT:
        return None
    errors = [mean_in_cells(member.network("test_error"), whole_grid(member)) for member in members]
    used = {"range": range_of(whole_grid(members[0]), members[0]), **counts_over_draws(errors)}
    averaged = sum(errors[1:], errors[0]) / len(errors)
    complete = is_finite(averaged) & (averaged > 0)
    well_measured = int((complete.sum("seed") >= MIN_SEEDS).sum())
    if len(members) < MIN_DRAWS:
        return Finding(undecided_because=too_few_draws(len(members), MIN_DRAWS), in_short=FEW_DRAWS, **used)
    if well_measured < MIN_WIDTHS_OF_A_LIMIT:
        needed = f"{MIN_WIDTHS_OF_A_LIMIT} are needed"
        too_few_widths = (
            f"{counted(well_measured, 'width')} with {MIN_SEEDS} seeds that are complete in all draws, and {needed}"
        )
        in_short = f"{well_measured} of {MIN_WIDTHS_OF_A_LIMIT} widths with {MIN_SEEDS} seeds"
        return Finding(undecided_because=too_few_widths, in_short=in_short, **used)

    def fit(values: xr.DataArray) -> ModelFit:
        keep = pairs(complete)
        return offset_power(width_of_pairs(values)[keep], pairs(values)[keep], np.arange(keep.sum()))

    try:
        pooled, of_draws = fit(averaged), [fit(of_draw)["exponent"] for of_draw in errors]
    except InputError as refused:  # a draw without errors, say
        return Finding(undecided_because=refused.problem, in_short="no fit", **used)
    undecided_because, note = _limit_in_words(members[0].widths, pooled)
    deviation = np.std([power.value for power in of_draws], ddof=1)
    scatter = f"between {len(members)} draws of the training points the power scatters by {deviation:.2g} (s.d.)"
    return Finding(
        estimate=crossed_estimate(of_draws, pooled["exponent"]),
        sensitivity=[sensitivity_row(draw_label(m), power) for m, power in zip(members, of_draws, strict=True)],
        notes=(note, scatter),
        undecided_because=undecided_because,
        in_short="" if undecided_because is None else "these widths do not resolve it",
        **used,
    )


def _limit_in_words(widths: NDArray, fitted: ModelFit) -> tuple[str | None, str]:
    """Return why a fit at the edge of what the widths resolve bears no verdict, and what the error tends to."""
    limit, power = fitted["offset"], fitted["exponent"].value
    note = f"the error tends to {limit.value:.2%} ({limit.interval()[0]:.2%} to {limit.interval()[1]:.2%})"
    if _resolved(widths, power):
        return None, note
    return (
        f"the fitted power, {power:.2f}, is at the edge of what these widths resolve: the excess over the limit "
        "hardly changes over them, or has vanished at the second one"
    ), note


def _resolved(widths: NDArray, power: float) -> bool:
    """Return whether an excess ~ h^power falls over the widths, and has not vanished at the second one.

    Where it is not, the fit sits at an edge (a step at the narrowest width, or a straight line in log h), and the
    curvature there says nothing of the error.
    """
    first, second, last = widths[0], widths[1], widths[-1]
    return bool((last / first) ** power <= 0.9 and (second / first) ** power >= 0.1)
