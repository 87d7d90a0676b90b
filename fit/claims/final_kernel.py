"""Whether dynamics frozen at the final kernel reproduce the network's test error."""

import xarray as xr

from fit.estimators.clusters import mean_over
from fit.findings.error_differences import data_used, judge_excess_error, mean_in_cells, ratio, too_few_seeds
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import measures
from fit.findings.window import sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: The final kernel reproduces the network if its excess error, in size, is at most this fraction of the initial one's.
ALLOWED = 0.25
ARMS = ("network", "initial_kernel", "final_kernel")


@measures(needs=("test_error",), group="Test error", stands_for_power=f"0 ± {ALLOWED:g}")
def final_kernel(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the network with kernel dynamics frozen at its final and at its initial kernel."""
    absent = [arm for arm in ARMS if arm not in experiment.arms]
    if absent:
        return Finding(undecided_because=f"not measured: the source has no arm {' and no arm '.join(absent)}")
    cells = window(experiment, prediction)
    width = width_of_pairs(experiment.network("test_error"))

    def differences(part: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
        """Return the test errors of the final and of the initial kernel, less that of the network."""
        network, initial, final = (mean_in_cells(experiment.network("test_error", arm), part) for arm in ARMS)
        return final - network, initial - network

    excess, gap = differences(cells)
    used = data_used(experiment, cells, is_finite(excess + gap))
    mean_gap = mean_over(pairs(gap), width)
    if mean_gap is None or used["n_seeds"] < MIN_SEEDS:
        return Finding(undecided_because=too_few_seeds("seeds have all three arms", used), **used)
    tests = [mean_over(pairs(sign * excess - ALLOWED * gap), width) for sign in (1, -1)]
    used["sensitivity"] = [
        sensitivity_row(name, ratio(*(mean_over(pairs(values), width) for values in differences(part))))
        for name, part in trimmed(cells, experiment.root_h_alpha)
    ]
    return judge_excess_error(
        tests, mean_over(pairs(excess), width), mean_gap, ALLOWED, "the final kernel over the network",
        "that of the initial kernel", used,
    )  # fmt: skip
