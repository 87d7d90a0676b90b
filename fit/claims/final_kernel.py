"""Whether dynamics frozen at the final kernel reproduce the network's test error."""

import xarray as xr

from fit.estimators.clusters import mean_over
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import measures
from fit.findings.shares import counts, mean_in_cells, missed_share, ratio, too_few
from fit.findings.window import sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: A frozen final kernel reproduces the network if it misses no more than this of what the initial kernel misses.
SHARE = 0.25
ARMS = ("network", "initial_kernel", "final_kernel")


@measures(needs=("test_error",), group="Test error", stands_for_power=f"0 ± {SHARE:g}")
def final_kernel(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the network with kernel dynamics frozen at its final and at its initial kernel."""
    absent = [arm for arm in ARMS if arm not in experiment.arms]
    if absent:
        return Finding(refusal=f"not measured: the source has no arm {' and no arm '.join(absent)}")
    cells = window(experiment, prediction)
    width = width_of_pairs(experiment.network("test_error"))

    def differences(part: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
        network, initial, final = (mean_in_cells(experiment.network("test_error", arm), part) for arm in ARMS)
        return final - network, initial - network

    missed, contrast = differences(cells)
    data = counts(experiment, cells, is_finite(missed + contrast))
    gained = mean_over(pairs(contrast), width)
    if gained is None or data["n_seeds"] < MIN_SEEDS:
        return Finding(refusal=too_few("networks have all three arms", data), **data)
    tests = [mean_over(pairs(sign * missed - SHARE * contrast), width) for sign in (1, -1)]
    data["sensitivity"] = [
        sensitivity_row(name, ratio(*(mean_over(pairs(values), width) for values in differences(part))))
        for name, part in trimmed(cells, experiment.root_h_alpha)
    ]
    return missed_share(tests, mean_over(pairs(missed), width), gained, SHARE, "the final kernel", "network", data)
