"""Which regime generalises better, on one draw of the training points and over several.

Initial weights are drawn anew in every network, training points once an experiment: an interval over seeds is
conditional on them. Experiments that differ in their draw alone are therefore also compared draw by draw, and that
interval is over draws.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.clusters import mean_over
from fit.estimators.estimate import Estimate
from fit.findings.error_differences import data_used, decide_sign, percentage_points, too_few_seeds
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import Comparison, ExperimentFindings, measures
from fit.findings.window import sensitivity_row
from fit.measurements.measurements import Measurements
from lazyrich.errors import InputError
from simulate.campaign.experiment import Experiment
from theory.prediction import Prediction

#: The amplitudes at which regimes are compared, fixed beforehand (the best A on the test set would be a choice by the
#: response); the nearest grid point counts, up to half a decade away.
COMPARED_AT = (1e-4, 1e4)
#: The same choice half a decade nearer to the crossover, for the sensitivity.
LESS_EXTREME = {
    "feature regime at A = 3.2e-4": (10**-3.5, COMPARED_AT[1]),
    "lazy regime at A = 3.2e3": (COMPARED_AT[0], 10**3.5),
}
#: the architecture of experiments that name none
DEFAULT_ARCHITECTURE = Experiment.model_fields["architecture"].default
#: Data sets on which the preference was observed (arXiv:1906.08034).
OBSERVED = ("mnist", "fashion_mnist", "emnist_letters", "cifar10")
#: Fields in which experiments that are compared draw by draw may differ.
MAY_DIFFER = ("name", "data_seed")


def over_draws(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Compare the regimes over draws of the training points, family by family.

    A family is two or more experiments that differ in ``data_seed`` (and name) alone. A draw counts once: the mean of
    its pairs of networks, feature minus lazy; the interval is Student's over draws.
    """
    families: dict[str, list[ExperimentFindings]] = {}
    for experiment in experiments:
        description = experiment.measurements.description
        if "data_seed" in description and "test_error" in experiment.measurements:
            fields = {key: value for key, value in description.items() if key not in MAY_DIFFER}
            families.setdefault(json.dumps(fields, sort_keys=True, default=str), []).append(experiment)
    comparisons = []
    for family in families.values():
        family = sorted(family, key=lambda experiment: experiment.measurements.description["data_seed"])
        members = [experiment.measurements for experiment in family]
        prediction = family[0].prediction(regime_preference.__name__)
        differences = [difference_of_regimes(member) for member in members]
        if (
            len({member.description["data_seed"] for member in members}) < 2
            or prediction is None
            or differences[0] is None
        ):
            continue
        finding = _over_draws(members, [d for d in differences if d is not None])
        comparisons.append(Comparison(joint_name([member.name for member in members]), members, prediction, finding))
    return comparisons


@measures(needs=("test_error",), group="Test error", compare=over_draws)
def regime_preference(experiment: Measurements, prediction: Prediction) -> Finding:
    """Compare the test errors at A = 1e-4 and 1e4, pair by pair."""
    difference = difference_of_regimes(experiment)
    if difference is None:
        return Finding(
            undecided_because="the grid has no amplitude within half a decade of A = 1e-4, or none of A = 1e4"
        )
    estimate = mean_over(pairs(difference), width_of_pairs(difference))
    cells = xr.zeros_like(experiment.root_h_alpha, dtype=bool)
    for column in _columns(experiment) or ():
        cells.values[np.arange(len(experiment.widths)), column] = True
    used = data_used(experiment, cells, is_finite(difference))
    if estimate is None or used["n_seeds"] < MIN_SEEDS:
        reason = too_few_seeds("seeds fit the training set in both regimes", used)
        return Finding(estimate=estimate, undecided_because=reason, **used)
    used["sensitivity"] = [
        sensitivity_row(f"h = {width:g}", mean_over(row))
        for width, row in zip(experiment.widths, difference.values, strict=True)
    ]
    for name, amplitudes in LESS_EXTREME.items():
        nearer = difference_of_regimes(experiment, amplitudes)
        if nearer is not None:
            used["sensitivity"].append(sensitivity_row(name, mean_over(pairs(nearer), width_of_pairs(nearer))))
    return _judged(experiment, estimate, "on this draw of the training points", used)


def _over_draws(members: Sequence[Measurements], differences: Sequence[xr.DataArray]) -> Finding:
    complete = [is_finite(d) for d in differences]
    means = np.array([float(d.where(mask).mean()) for d, mask in zip(differences, complete, strict=True)])
    draws = int(np.isfinite(means).sum())
    estimate = mean_over(means)
    low, high = _amplitudes(members[0])
    used: dict[str, Any] = {
        "range": {"variable": "root_h_alpha", "low": low, "high": high},
        "n_points": int(sum(mask.sum() for mask in complete)),
        "n_seeds": max(int(mask.any("width").sum()) for mask in complete),
        "n_widths": len(members[0].widths),
        "sensitivity": [
            sensitivity_row(f"draw {member.description['data_seed']}", mean_over(pairs(d)))
            for member, d in zip(members, differences, strict=True)
        ],
    }
    if estimate is None or draws < MIN_SEEDS:
        reason = (
            f"{draws} draws of the training points have networks that fit in both regimes, and {MIN_SEEDS} are needed"
        )
        return Finding(estimate=estimate, undecided_because=reason, **used)
    return _judged(members[0], estimate, f"over {draws} draws of the training points", used)


def _judged(experiment: Measurements, difference: Estimate, conditions: str, used: dict[str, Any]) -> Finding:
    low, high = (percentage_points(end) for end in difference.interval())
    measured = (
        f"the test error in the feature regime less that in the lazy one is {percentage_points(difference.value)} "
        f"percentage points (95 % interval [{low}, {high}]) {conditions}"
    )
    no_sign = _why_no_sign(experiment)
    if no_sign:
        return Finding(
            estimate=difference, undecided_because=f"{measured}; {no_sign}", not_claimed_because=no_sign, **used
        )
    sign = 1.0 if _better_regime(experiment) == "lazy" else -1.0
    positive_if_predicted = Estimate(sign * difference.value, difference.standard_error, difference.dof)
    outcome, reason, p_value_against = decide_sign(positive_if_predicted, measured)
    return Finding(estimate=difference, outcome=outcome, reason=reason, p_value_against=p_value_against, **used)


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


def joint_name(names: Sequence[str]) -> str:
    """Return what a family is called: ``fc-draw0, fc-draw1, fc-draw2`` are ``fc-draw0..2``."""
    first, last = names[0], names[-1]
    common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return f"{first}..{last[common:]}" if common else " + ".join(names)


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
    """Return which regime was observed to generalise better on images for the experiment's architecture, if any."""
    name = experiment.description.get("architecture", DEFAULT_ARCHITECTURE)
    from simulate.networks.registry import architecture_class  # with torch: only where the data allow a verdict

    try:
        return architecture_class(name).better_regime_on_images
    except InputError:  # an architecture of a user who did not register it here
        return None


def _why_no_sign(experiment: Measurements) -> str:
    """Return why no sign is predicted for an experiment, as a clause; empty where one is.

    The claim is an observation on image sets with all their directions; no power counting gives a sign. Measurements
    that name neither data nor architecture are judged as if they were of fully connected networks on such a set.
    """
    dataset = experiment.description.get("dataset")
    if dataset is not None and dataset not in OBSERVED:
        observed = ", ".join(OBSERVED)
        return f"no sign is predicted on {dataset}: the sign depends on the data, and was observed on {observed} only"
    if experiment.description.get("pca") is not None:
        return "no sign is predicted for data reduced to principal components, where the observation was not made"
    if _better_regime(experiment) is None:
        architecture = experiment.description.get("architecture")
        return f"no sign is predicted for the architecture {architecture}, on which no such observation was made"
    return ""
