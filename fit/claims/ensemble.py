"""Whether several narrow networks together err no more than one as wide as all of them."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite
from fit.findings.registry import measures
from fit.findings.shares import counts, errors_of, missed_share, ratio, too_few
from fit.findings.window import sensitivity_row, trimmed, window
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: An ensemble does for a width if it misses no more than this of what the width gains.
SHARE = 0.5
#: Random partitions of the seeds into ensembles.
PARTITIONS = 50
#: A width is m times another if it is so within this part.
NEAR_MULTIPLE = 0.03


@measures(needs=("test_output",), group="Test error", stands_for_power=f"< {SHARE:g}")
def ensemble(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare ensembles of m networks with single ones m times as wide, at the amplitudes of the regime."""
    if "test_label" not in experiment:
        return Finding(refusal="not measured: the source does not hold test_label")
    cells = window(experiment, prediction)
    pair = _widths_to_compare(experiment)
    if pair is None:
        return Finding(refusal=f"no width is a multiple m of another that has 2·m seeds, m >= 2, or {MIN_SEEDS}")
    narrow, wide, members = pair
    compared = [narrow, wide]
    both = cells.isel(width=compared).all("width")
    outputs = [experiment.outputs(row).isel(amplitude=both.values) for row in compared]
    small, large = (one.isel(seed=is_finite(one).all(("amplitude", "test_point")).values) for one in outputs)
    used = xr.zeros_like(cells)
    used[compared] = both
    data = counts(experiment, used, _complete(experiment, {narrow: small, wide: large}))
    enough = small.sizes["seed"] >= max(2 * members, MIN_SEEDS) and large.sizes["seed"] >= MIN_SEEDS
    if not both.any() or not enough:
        return Finding(refusal=too_few("seeds fit at both widths", data), **data)
    label = experiment.common("test_label")
    errors = _ensemble_errors(small, label, members), errors_of(small, label), errors_of(large, label)
    estimates = _compare(errors, np.ones(int(both.sum()), dtype=bool))
    if estimates is None:
        return Finding(refusal=too_few("seeds fit at both widths", data), **data)
    data["sensitivity"] = []
    for name, part in trimmed(used, experiment.root_h_alpha):
        rows = part.isel(width=compared).all("width").values[both.values]
        shorter = _compare(errors, rows) if rows.any() else None
        data["sensitivity"].append(sensitivity_row(name, None if shorter is None else ratio(*shorter[1:])))
    test, missed, gained = estimates
    what = f"{members} networks of width {experiment.widths[narrow]:g} together"
    than = f"one of width {experiment.widths[wide]:g}"
    return missed_share([test], missed, gained, SHARE, what, than, data)


def _compare(
    errors: tuple[xr.DataArray, xr.DataArray, xr.DataArray], amplitudes: NDArray
) -> tuple[Estimate, Estimate, Estimate] | None:
    """Return what is tested, missed and gained, over some of the amplitudes; ``errors`` (amplitude, seed)."""
    together, alone, wider = (one.isel(amplitude=amplitudes).mean("amplitude").values for one in errors)
    estimates = [mean_over(sample) for sample in (together - SHARE * alone, together, alone, wider)]
    if any(estimate is None for estimate in estimates):
        return None
    part, first, gained, single = (estimate for estimate in estimates if estimate is not None)
    # missed - share·contrast = (together - share·alone) - (1 - share)·single
    return plus(part, single, -(1 - SHARE)), plus(first, single, -1.0), plus(gained, single, -1.0)


def _complete(experiment: Measurements, outputs: dict[int, xr.DataArray]) -> xr.DataArray:
    """As many seeds at each width as there are complete outputs, (width, seed)."""
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


def _ensemble_errors(outputs: xr.DataArray, label: xr.DataArray, members: int) -> xr.DataArray:
    """Return jackknife pseudo-values of the mean error of ensembles of ``members`` different seeds, (amplitude, seed).

    The mean over all subsets (a U-statistic) is sampled by random partitions; without seed s it is the mean over the
    ensembles that s is not in.
    """
    rng = np.random.default_rng(0)
    values = outputs.transpose("amplitude", "seed", "test_point").values
    seeds = values.shape[1]
    blocks = seeds // members
    order = np.stack([rng.permutation(seeds)[: blocks * members] for _ in range(PARTITIONS)]).reshape(-1, members)
    errors = np.array([np.mean(values[:, group].mean(axis=1) * label.values <= 0, axis=1) for group in order])
    member = np.zeros((len(order), seeds), dtype=bool)
    np.put_along_axis(member, order, True, axis=1)
    full = errors.mean(axis=0)
    without = np.array([errors[~member[:, s]].mean(axis=0) for s in range(seeds)])
    return xr.DataArray((seeds * full - (seeds - 1) * without).T, dims=("amplitude", "seed"))
