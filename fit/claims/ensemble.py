"""Whether an ensemble of m networks errs no more than one network that is m times as wide."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.draws import FEW_DRAWS, compare_draws, draw_label, in_words, mean_over_rows
from fit.findings.ensembles import ensemble_errors
from fit.findings.error_differences import (
    data_used,
    fraction_wrong,
    judge_excess_error,
    ratio,
    too_few_seeds,
    undecided_for_seeds,
)
from fit.findings.finding import MIN_SEEDS, Finding, Minimum, not_measured
from fit.findings.networks import is_finite
from fit.findings.registry import Comparison, ExperimentFindings, measures
from fit.findings.window import range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: The ensemble replaces the wide network if its excess error is at most this fraction of a single narrow network's.
ALLOWED = 0.5
#: A width counts as m times another within this relative tolerance.
NEAR_MULTIPLE = 0.03


def over_draws(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Compare ensembles with wider networks over draws of the training points, family by family."""
    return compare_draws(experiments, ensemble.__name__, ["test_output", "test_label"], _over_draws)


@measures(
    needs=("test_output",), group="Test error", stands_for_power=f"< {ALLOWED:g}",
    measured_as="excess error, over that of one narrow network", compare=over_draws,
)  # fmt: skip
def ensemble(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the test errors of ensembles of m networks, of single ones and of ones m times as wide."""
    if "test_label" not in experiment:
        return not_measured("the source does not hold test_label")
    cells = window(experiment, prediction)
    widths_and_members = _widths_to_compare(experiment)
    if widths_and_members is None:
        reason = f"no width is a multiple m >= 2 of another one that has at least max(2·m, {MIN_SEEDS}) seeds"
        return Finding(undecided_because=reason, in_short="no width twice another with enough seeds")
    narrow, wide, members = widths_and_members
    compared = [narrow, wide]
    in_window = cells.isel(width=compared).all("width")
    outputs = [experiment.outputs(row).isel(amplitude=in_window.values) for row in compared]
    narrow_outputs, wide_outputs = (
        output.isel(seed=is_finite(output).all(("amplitude", "test_point")).values) for output in outputs
    )
    cells_used = xr.zeros_like(cells)
    cells_used[compared] = in_window
    used = data_used(experiment, cells_used, _complete(experiment, {narrow: narrow_outputs, wide: wide_outputs}))
    too_few = dataclasses.replace(
        undecided_for_seeds("seeds fit the training set at both widths", used),
        minimum=Minimum(max(2 * members, MIN_SEEDS), 1, 1),
    )
    if not in_window.any():
        reason = "no amplitude of the two widths that are compared lies in the law's regime"
        return dataclasses.replace(
            too_few, undecided_because=reason, in_short="no amplitude in the regime", minimum=None
        )
    enough = narrow_outputs.sizes["seed"] >= max(2 * members, MIN_SEEDS) and wide_outputs.sizes["seed"] >= MIN_SEEDS
    if not enough:
        return too_few
    label = experiment.common("test_label")
    errors = (
        ensemble_errors(narrow_outputs, label, members),
        fraction_wrong(narrow_outputs, label),
        fraction_wrong(wide_outputs, label),
    )
    estimates = _compare(errors, np.ones(int(in_window.sum()), dtype=bool))
    if estimates is None:
        return too_few
    used["sensitivity"] = []
    for name, part in trimmed(cells_used, experiment.root_h_alpha):
        amplitudes = part.isel(width=compared).all("width").values[in_window.values]
        in_part = _compare(errors, amplitudes) if amplitudes.any() else None
        used["sensitivity"].append(sensitivity_row(name, None if in_part is None else ratio(*in_part[1:])))
    test, excess, gap = estimates
    compared_in_words, gap_meaning = _compared_in_words(experiment, widths_and_members)
    return judge_excess_error([test], excess, gap, ALLOWED, compared_in_words, gap_meaning, used)


def _over_draws(experiments: Sequence[Measurements], prediction: Prediction) -> Finding | None:
    """Compare over draws; seed s of the narrow width is paired with seed s of the wide one, which is independent."""
    widths_and_members = _widths_to_compare(experiments[0])
    if widths_and_members is None:
        return None
    narrow, wide, members = widths_and_members
    cells = window(experiments[0], prediction)
    in_window = cells.isel(width=[narrow, wide]).all("width").values
    outputs = [
        [experiment.outputs(row).isel(amplitude=in_window) for row in (narrow, wide)] for experiment in experiments
    ]
    complete = np.logical_and.reduce(
        [is_finite(output).all(("amplitude", "test_point")).values for of_draw in outputs for output in of_draw]
    )
    seeds = int(complete.sum())
    used: dict[str, Any] = {
        "range": range_of(cells, experiments[0]), "n_points": 2 * seeds * len(experiments), "n_seeds": seeds,
        "n_widths": 2,
    }  # fmt: skip
    if not in_window.any() or seeds < max(2 * members, MIN_SEEDS):
        return undecided_for_seeds("seeds fit at both widths in all draws", used)
    rows = []
    for experiment, of_draw in zip(experiments, outputs, strict=True):
        narrow_outputs, wide_outputs = (output.isel(seed=complete) for output in of_draw)
        label = experiment.common("test_label")
        errors = (
            ensemble_errors(narrow_outputs, label, members),
            fraction_wrong(narrow_outputs, label),
            fraction_wrong(wide_outputs, label),
        )
        rows.append([error.mean("amplitude").values for error in errors])
    together, single, wider = np.array(rows).swapaxes(0, 1)  # each (draw, seed)
    excess, gap = mean_over_rows(together - wider), mean_over_rows(single - wider)
    if excess.estimate is None or gap.estimate is None or excess.undecided_because is not None:
        reason = excess.undecided_because or too_few_seeds("seeds allow the comparison", used)
        return Finding(undecided_because=reason, in_short=FEW_DRAWS, **used)
    test = mean_over_rows(together - wider - ALLOWED * (single - wider)).estimate
    used["sensitivity"] = [
        sensitivity_row(draw_label(experiment), ratio(mean_over(a - c), mean_over(b - c)))
        for experiment, a, b, c in zip(experiments, together, single, wider, strict=True)
    ]
    compared, gap_meaning = _compared_in_words(experiments[0], widths_and_members)
    compared = f"{compared} {in_words(excess, len(experiments))}"
    return judge_excess_error([test], excess.estimate, gap.estimate, ALLOWED, compared, gap_meaning, used)


def _compared_in_words(experiment: Measurements, widths_and_members: tuple[int, int, int]) -> tuple[str, str]:
    """Return what has an excess error over what, and whose excess the gap is: clauses."""
    narrow, wide, members = widths_and_members
    h_narrow, h_wide = (f"{experiment.widths[row]:g}" for row in (narrow, wide))
    compared = f"ensembles of {members} networks of width {h_narrow} over single networks of width {h_wide}"
    return compared, f"that of single networks of width {h_narrow}"


def _compare(
    errors: tuple[xr.DataArray, xr.DataArray, xr.DataArray], amplitudes: NDArray
) -> tuple[Estimate, Estimate, Estimate] | None:
    """Return excess - allowed·gap, excess and gap, over some of the amplitudes.

    ``errors``: those of ensembles, of single narrow networks and of wide ones, each (amplitude, seed).
    """
    ensemble_error, narrow_error, wide_error = (
        error.isel(amplitude=amplitudes).mean("amplitude").values for error in errors
    )
    combination = mean_over(ensemble_error - ALLOWED * narrow_error)  # of the same seeds, so formed seed by seed
    of_ensembles, of_narrow, of_wide = (mean_over(error) for error in (ensemble_error, narrow_error, wide_error))
    if combination is None or of_ensembles is None or of_narrow is None or of_wide is None:
        return None
    # excess - allowed·gap = (ensemble - allowed·narrow) - (1 - allowed)·wide
    test = plus(combination, of_wide, -(1 - ALLOWED))
    return test, plus(of_ensembles, of_wide, -1.0), plus(of_narrow, of_wide, -1.0)


def _complete(experiment: Measurements, outputs: dict[int, xr.DataArray]) -> xr.DataArray:
    """Return a mask (width, seed) with as many seeds at each width as there are complete outputs."""
    result = np.zeros((len(experiment.widths), experiment.n_seeds), dtype=bool)
    for width, output in outputs.items():
        result[width, : output.sizes["seed"]] = True
    return xr.DataArray(result, dims=("width", "seed"))


def _widths_to_compare(experiment: Measurements) -> tuple[int, int, int] | None:
    """Return the narrowest width and the widest that is a whole multiple m of it for which 2·m seeds suffice, and m."""
    widths = experiment.widths
    for narrow, width in enumerate(widths):
        for wide in range(len(widths) - 1, narrow, -1):
            members = round(widths[wide] / width)
            close = abs(widths[wide] / width - members) <= NEAR_MULTIPLE * members
            if close and members >= 2 and experiment.n_seeds >= max(2 * members, MIN_SEEDS):
                return narrow, wide, members
    return None
