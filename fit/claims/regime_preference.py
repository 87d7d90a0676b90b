"""Which regime generalises better, on one draw of the training points and over several.

Training points are drawn once an experiment: an interval over seeds is conditional on them. Experiments that differ in
their draw alone are therefore also compared together, with an interval over draws and initial weights.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.findings.draws import FEW_DRAWS, compare_draws, counts_over_draws, draw_label, in_words, mean_over_draws
from fit.findings.error_differences import (
    data_used,
    decide_sign,
    mean_over_pairs,
    percentage_points,
    undecided_for_seeds,
)
from fit.findings.finding import MIN_SEEDS, Finding, Minimum
from fit.findings.networks import is_finite
from fit.findings.registry import Comparison, ExperimentFindings, measures
from fit.findings.window import sensitivity_row
from fit.measurements.description import dynamics_name
from fit.measurements.measurements import Measurements
from fit.measurements.network_class import network_class
from simulate.data.synthetic import RULES
from theory.laws.regime_preference import OBSERVED_FROM
from theory.prediction import Prediction

#: The amplitudes at which regimes are compared, fixed beforehand (the best A on the test set would be a choice by the
#: response); the nearest grid point counts, up to half a decade away.
COMPARED_AT = (1e-4, 1e4)
#: The same choice half a decade nearer to the crossover, for the sensitivity.
LESS_EXTREME = {
    "feature regime at A = 3.2e-4": (10**-3.5, COMPARED_AT[1]),
    "lazy regime at A = 3.2e3": (COMPARED_AT[0], 10**3.5),
}
#: Data sets on which the preference was observed (arXiv:1906.08034).
OBSERVED = ("mnist", "fashion_mnist", "emnist_letters", "cifar10")


def over_draws(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Compare the regimes over draws of the training points, family by family."""
    return compare_draws(experiments, regime_preference.__name__, ["test_error"], _over_draws)


@measures(
    needs=("test_error",), group="Test error", measured_as="test error, feature less lazy regime", compare=over_draws
)
def regime_preference(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the test errors at A = 1e-4 and 1e4, pair by pair; without a verdict where theory predicts no sign."""
    finding = _compare(experiment)
    no_sign = _why_no_sign(experiment)
    return dataclasses.replace(finding, minimum=None, not_claimed_because=no_sign) if no_sign else finding


def _compare(experiment: Measurements) -> Finding:
    difference = difference_of_regimes(experiment)
    if difference is None:
        reason = "the grid has no amplitude within half a decade of A = 1e-4, or none of 1e4"
        absent = tuple(a for a in COMPARED_AT if _nearest(experiment, a) is None)
        minimum = Minimum(MIN_SEEDS, 1, root_h_alpha=absent)
        return Finding(undecided_because=reason, in_short="no amplitudes near 10⁻⁴ and 10⁴", minimum=minimum)
    estimate = mean_over_pairs(difference)
    cells = xr.zeros_like(experiment.root_h_alpha, dtype=bool)
    for column in _columns(experiment) or ():
        cells.values[np.arange(len(experiment.widths)), column] = True
    used = data_used(experiment, cells, is_finite(difference))
    if estimate is None or used["n_seeds"] < MIN_SEEDS:
        return undecided_for_seeds("seeds fit the training set in both regimes", used, estimate)
    used["sensitivity"] = [
        sensitivity_row(f"h = {width:g}", mean_over(row))
        for width, row in zip(experiment.widths, difference.values, strict=True)
    ]
    for name, amplitudes in LESS_EXTREME.items():
        nearer = difference_of_regimes(experiment, amplitudes)
        if nearer is not None:
            used["sensitivity"].append(sensitivity_row(name, mean_over_pairs(nearer)))
    averaged = "over the widths measured, " if used["n_widths"] > 1 else ""
    return _judged(experiment, estimate, f"{averaged}on this draw of the training points", used)


def _over_draws(members: Sequence[Measurements], prediction: Prediction) -> Finding | None:
    differences = [d for member in members if (d := difference_of_regimes(member)) is not None]
    if len(differences) < len(members):
        return None
    over = mean_over_draws(differences)
    low, high = _amplitudes(members[0])
    used: dict[str, Any] = {
        "range": {"variable": "root_h_alpha", "low": low, "high": high},
        "sensitivity": [
            sensitivity_row(draw_label(member), mean_over_pairs(d))
            for member, d in zip(members, differences, strict=True)
        ],
        **counts_over_draws(differences),
    }
    if over.estimate is None or over.undecided_because is not None:
        return Finding(estimate=over.estimate, undecided_because=over.undecided_because, in_short=FEW_DRAWS, **used)
    return _judged(members[0], over.estimate, in_words(over, len(members)), used)


def _judged(experiment: Measurements, difference: Estimate, conditions: str, used: dict[str, Any]) -> Finding:
    low, high = (percentage_points(end) for end in difference.interval())
    measured = (
        f"the test error in the feature regime less that in the lazy one is {percentage_points(difference.value)} "
        f"percentage points (95 % interval [{low}, {high}]) {conditions}"
    )
    no_sign = _why_no_sign(experiment)
    if no_sign:
        return Finding(
            estimate=difference, undecided_because=f"{measured}; {no_sign}", not_claimed_because=no_sign,
            in_short="no sign is predicted for such data", notes=difference.notes, **used,
        )  # fmt: skip
    sign = 1.0 if _better_regime(experiment) == "lazy" else -1.0
    positive_if_predicted = Estimate(sign * difference.value, difference.standard_error, difference.dof)
    outcome, reason, p_value_against = decide_sign(positive_if_predicted, measured)
    contrast = Estimate(-positive_if_predicted.value, difference.standard_error, difference.dof)
    return Finding(
        estimate=difference, outcome=outcome, reason=reason, in_short="the interval includes 0",
        p_value_against=p_value_against, contrast=contrast, notes=difference.notes, **used,
    )  # fmt: skip


def difference_of_regimes(
    experiment: Measurements, amplitudes: tuple[float, float] = COMPARED_AT
) -> xr.DataArray | None:
    """Return the test error at A = 1e-4 less that at 1e4, (width, seed); None if the grid lacks either."""
    columns = _columns(experiment, amplitudes)
    if columns is None:
        return None
    errors = experiment.network("test_error")
    rows = xr.DataArray(np.arange(len(experiment.widths)), dims="width")
    feature, lazy = (errors.isel(width=rows, amplitude=xr.DataArray(c, dims="width")) for c in columns)
    return (feature - lazy).transpose("width", "seed")


def _amplitudes(experiment: Measurements) -> tuple[float, float]:
    """Return the lowest and the highest amplitude at which the regimes are compared."""
    columns = _columns(experiment)
    assert columns is not None, "the grid lacks a regime"
    rows = np.arange(len(experiment.widths))
    a = experiment.root_h_alpha.values
    return float(a[rows, columns[0]].min()), float(a[rows, columns[-1]].max())


def _columns(experiment: Measurements, amplitudes: tuple[float, float] = COMPARED_AT) -> tuple[NDArray, ...] | None:
    columns = tuple(column for a in amplitudes if (column := _nearest(experiment, a)) is not None)
    return columns if len(columns) == len(amplitudes) else None


def _nearest(experiment: Measurements, amplitude: float) -> NDArray | None:
    """Column of the grid's A nearest to ``amplitude`` for each width; None if one is over half a decade away."""
    distance = np.abs(np.log(experiment.root_h_alpha.values / amplitude))
    column = np.argmin(distance, axis=1)
    if np.any(distance[np.arange(len(column)), column] > 0.5 * np.log(10) * (1 + 1e-6)):
        return None
    return column


def _better_regime(experiment: Measurements) -> Literal["lazy", "feature"] | None:
    """Return which regime generalises better by observation (on images) or by theory (planted rules), if any."""
    networks = network_class(experiment)
    if networks is None:
        return None
    if experiment.description.get("dataset") in RULES:
        return networks.better_regime_of_few_directions
    return networks.better_regime_on_images


def _why_no_sign(experiment: Measurements) -> str:
    """Return why no sign is predicted for an experiment, as a clause; empty where one is.

    The claim is an observation on `OBSERVED_FROM` or more images with all their directions, and derived for planted
    rules of one or two directions; no power counting gives a sign. Measurements that name neither data nor architecture
    are judged as if they were of fully connected networks on such an image set.
    """
    dataset = experiment.description.get("dataset")
    if dataset is not None and dataset not in OBSERVED and dataset not in RULES:
        known = f"observed on {', '.join(OBSERVED)}, and derived for rules of few directions ({', '.join(RULES)}) only"
        return f"no sign is predicted on {dataset}: the sign depends on the data, and was {known}"
    n_train = experiment.description.get("n_train")
    if dataset not in RULES and n_train is not None and n_train < OBSERVED_FROM:
        observed = f"it was observed with {OBSERVED_FROM:,} points or more; with fewer it changes with N and h"
        return f"no sign is predicted for {n_train:,} images: {observed}"
    if experiment.description.get("pca") is not None:
        return "no sign is predicted for data reduced to principal components, where the observation was not made"
    if dynamics_name(experiment.description) == "adam" and (dataset in RULES or not _sees_images(experiment)):
        return "no sign is predicted for networks trained by Adam, but for convolutional ones on images"
    if _better_regime(experiment) is None:
        architecture = experiment.description.get("architecture")
        return f"no sign is predicted for the architecture {architecture}, on which no such observation was made"
    return ""


def _sees_images(experiment: Measurements) -> bool:
    networks = network_class(experiment)
    return networks is not None and networks.images
