"""Whether dynamics frozen at the final kernel reproduce the network's test error."""

from collections.abc import Sequence

import xarray as xr

from fit.findings.draws import FEW_DRAWS, compare_draws, counts_over_draws, draw_label, in_words, mean_over_draws
from fit.findings.error_differences import (
    data_used,
    judge_excess_error,
    mean_in_cells,
    mean_over_pairs,
    ratio,
    too_few_seeds,
    undecided_for_seeds,
)
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite
from fit.findings.registry import Comparison, ExperimentFindings, measures
from fit.findings.window import range_of, sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: The final kernel reproduces the network if its excess error, in size, is at most this fraction of the initial one's.
ALLOWED = 0.25
ARMS = ("network", "initial_kernel", "final_kernel")


def over_draws(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Compare the arms over draws of the training points, family by family."""
    return compare_draws(experiments, final_kernel.__name__, ["test_error"], _over_draws)


@measures(
    needs=("test_error",), group="Test error", stands_for_power=f"0 ± {ALLOWED:g}",
    measured_as="excess error, over that of the initial kernel", compare=over_draws,
)  # fmt: skip
def final_kernel(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the network with kernel dynamics frozen at its final and at its initial kernel."""
    absent = [arm for arm in ARMS if arm not in experiment.arms]
    if absent:
        reason = f"not measured: the source has no arm {' and no arm '.join(absent)}"
        return Finding(undecided_because=reason, in_short="no frozen kernels beside the networks")
    cells = window(experiment, prediction)
    excess, gap = _differences(experiment, cells)
    used = data_used(experiment, cells, is_finite(excess + gap))
    mean_gap = mean_over_pairs(gap)
    if mean_gap is None or used["n_seeds"] < MIN_SEEDS:
        return undecided_for_seeds("seeds have all three arms", used)
    tests = [mean_over_pairs(sign * excess - ALLOWED * gap) for sign in (1, -1)]
    used["sensitivity"] = [
        sensitivity_row(name, ratio(*(mean_over_pairs(values) for values in _differences(experiment, part))))
        for name, part in trimmed(cells, experiment.root_h_alpha)
    ]
    return judge_excess_error(
        tests, mean_over_pairs(excess), mean_gap, ALLOWED, "the final kernel over the network",
        "that of the initial kernel", used,
    )  # fmt: skip


def _over_draws(members: Sequence[Measurements], prediction: Prediction) -> Finding | None:
    if any(arm not in member.arms for member in members for arm in ARMS):
        return None
    cells = [window(member, prediction) for member in members]
    differences = [_differences(member, part) for member, part in zip(members, cells, strict=True)]
    excess, gap = [of_draw[0] for of_draw in differences], [of_draw[1] for of_draw in differences]
    used = {"range": range_of(cells[0], members[0]), **counts_over_draws(excess)}
    mean_excess, mean_gap = mean_over_draws(excess), mean_over_draws(gap)
    if mean_gap.estimate is None or mean_gap.undecided_because is not None:
        reason = mean_gap.undecided_because or too_few_seeds("seeds have all three arms", used)
        return Finding(undecided_because=reason, in_short=FEW_DRAWS, **used)
    tests = [
        mean_over_draws([sign * a - ALLOWED * b for a, b in differences]).estimate for sign in (1, -1)
    ]  # fmt: skip
    used["sensitivity"] = [
        sensitivity_row(draw_label(member), ratio(mean_over_pairs(a), mean_over_pairs(b)))
        for member, (a, b) in zip(members, differences, strict=True)
    ]
    compared = f"the final kernel over the network {in_words(mean_excess, len(members))}"
    return judge_excess_error(
        tests, mean_excess.estimate, mean_gap.estimate, ALLOWED, compared, "that of the initial kernel", used
    )


def _differences(experiment: Measurements, cells: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the test errors of the final and of the initial kernel, less that of the network, each (width, seed)."""
    network, initial, final = (mean_in_cells(experiment.network("test_error", arm), cells) for arm in ARMS)
    return final - network, initial - network
