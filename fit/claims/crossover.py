"""Where feature and lazy training meet: alpha*, at which the kernel changes by its own size, as a power of h."""

import dataclasses

import numpy as np
import xarray as xr

from fit.estimators.censored import censored_slope
from fit.estimators.estimate import Estimate
from fit.estimators.level_crossing import censoring
from fit.findings.finding import MIN_SEEDS, MIN_WIDTHS, Finding
from fit.findings.networks import is_finite, log, logarithms, pairs, width_of_pairs
from fit.findings.registry import measures
from fit.findings.width_power import pooled_width_power
from fit.findings.window import sensitivity_row, whole_grid
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: Further levels of the kernel change whose alpha* the sensitivity has: the law -1/2 is claimed at and above 0.3.
LEVELS = (0.3, 3.0, 10.0)
#: Up to this fraction of crossovers outside the grid they are left out; beyond, a censored likelihood takes their side.
MAX_CENSORED = 0.05
#: With more than this fraction beyond the grid not even the censored likelihood gives a verdict.
MAX_CENSORED_LIKELIHOOD = 0.5
_NO_PASSAGE = "its kernel change does not pass 1 between amplitudes at most a decade apart"


@measures(needs=("kernel_change",), group="Kernel", column="alpha*", quantity="alpha_star")
def crossover(experiment: Measurements, prediction: Prediction) -> Finding:
    """Regress alpha* of each (width, seed) on the width; where curves end before the level, with censoring."""
    logs = logarithms(experiment.network("kernel_change"), "mean")
    log_star, side = _crossings(experiment, logs, 1.0)
    log_h = log(log_star["width"])
    measured = log_star.where(side == 0)
    finding = pooled_width_power(experiment, lambda _: measured - 0.5 * log_h, whole_grid(experiment), r"\alpha^*")
    levels = [
        sensitivity_row(f"α* at a kernel change of {level:g}", _censored(*_crossings(experiment, logs, level)))
        for level in LEVELS
    ]
    finding = dataclasses.replace(finding, sensitivity=finding.sensitivity + levels)
    started = is_finite(logs).any("amplitude")
    censored = int((started & ~is_finite(measured)).sum())
    if not censored:
        return finding
    fraction = censored / int(started.sum())
    left_out = finding.left_out | {_NO_PASSAGE: censored}
    if fraction <= MAX_CENSORED:
        return dataclasses.replace(finding, left_out=left_out)
    censored_estimate = _censored(log_star, side)
    side_unknown = bool((started & ~is_finite(log_star)).any())
    if fraction > MAX_CENSORED_LIKELIHOOD or censored_estimate is None or side_unknown:
        not_in_grid = f"for {fraction:.0%} of the seeds the kernel change does not pass 1 inside the grid, between "
        not_in_grid += "amplitudes at most a decade apart"
        in_short = f"{fraction:.0%} cross beyond the grid"
        return dataclasses.replace(finding, left_out=left_out, undecided_because=not_in_grid, in_short=in_short)
    # leaving out seeds at the end of the grid would select by the response; that their A* lies beyond it is used
    note = f"{fraction:.0%} of the crossovers lie beyond the grid, and a censored regression takes them into account"
    measured_widths = (started.sum("seed") >= MIN_SEEDS) & (side == 0).any("seed")
    undecided_because = None if int(measured_widths.sum()) >= MIN_WIDTHS else finding.undecided_because
    return dataclasses.replace(
        finding, estimate=censored_estimate, left_out=left_out, undecided_because=undecided_because, notes=(note,)
    )


def _crossings(experiment: Measurements, logs: xr.DataArray, level: float) -> tuple[xr.DataArray, xr.DataArray]:
    """Logarithm of A* and its censoring (see `fit.estimators.level_crossing.censoring`), each (width, seed)."""
    rows = []
    curves_of_widths = logs.transpose("width", "amplitude", "seed").values
    for a, curves in zip(experiment.root_h_alpha.values, curves_of_widths, strict=True):
        measured = np.isfinite(curves).any(axis=1)  # widths need not be measured at the same amplitudes
        measured = measured if measured.any() else np.ones_like(measured)
        rows.append(censoring(np.log(a[measured]), curves[measured], float(np.log(level))))
    pair_template = logs.isel(amplitude=0, drop=True).transpose("width", "seed")
    log_star, side = (pair_template.copy(data=np.stack(part)) for part in zip(*rows, strict=True))
    return log_star, side


def _censored(log_star: xr.DataArray, side: xr.DataArray) -> Estimate | None:
    """Return the power of h of alpha* = A*/sqrt(h) by a censored likelihood."""
    log_h = np.log(width_of_pairs(log_star))
    return censored_slope(log_h, pairs(log_star) - 0.5 * log_h, pairs(side))
