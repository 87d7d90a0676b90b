"""Experiments that differ in their draw of the training points alone, and means over these draws.

Initial weights do not depend on the draw (`data_seed`), so that networks of equal width and seed start from the same
weights in every draw: a crossed design (`fit.estimators.crossed`).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fit.estimators.clusters import mean_over
from fit.estimators.crossed import MIN_DRAWS, Components, crossed_mean
from fit.estimators.estimate import Estimate
from fit.findings.finding import MIN_SEEDS, Finding
from fit.findings.networks import is_finite, pairs, width_of_pairs
from fit.findings.registry import Comparison, ExperimentFindings
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: Fields in which experiments of a family may differ.
MAY_DIFFER = ("name", "data_seed")
FEW_DRAWS = "too few draws or seeds"  #: `Finding.in_short` of comparisons over draws


@dataclass(frozen=True)
class OverDraws:
    """A mean over draws of the training points.

    ``components`` is None where the initial weights can't be told from the rest: the interval is then Student's over
    draws, conditional on these initial weights. ``undecided_because``: why it gives no verdict.
    """

    estimate: Estimate | None
    components: Components | None
    undecided_because: str | None


def families(experiments: Sequence[ExperimentFindings], *variables: str) -> list[list[ExperimentFindings]]:
    """Return the families of experiments that hold ``variables``, each in the order of its draws.

    A family is two or more experiments of different draws that differ in nothing else but their names.
    """
    by_fields: dict[str, list[ExperimentFindings]] = {}
    for experiment in experiments:
        description = experiment.measurements.description
        if "data_seed" in description and all(name in experiment.measurements for name in variables):
            fields = {key: value for key, value in description.items() if key not in MAY_DIFFER}
            by_fields.setdefault(json.dumps(fields, sort_keys=True, default=str), []).append(experiment)
    return [
        sorted(family, key=lambda experiment: experiment.measurements.description["data_seed"])
        for family in by_fields.values()
        if len({experiment.measurements.description["data_seed"] for experiment in family}) > 1
    ]


def compare_draws(
    experiments: Sequence[ExperimentFindings],
    claim: str,
    variables: Sequence[str],
    measure: Callable[[Sequence[Measurements], Prediction], Finding | None],
) -> list[Comparison]:
    """Return the findings of ``measure`` over the draws of each family, for each of its predictions of ``claim``."""
    comparisons = []
    for family in families(experiments, *variables):
        members = [experiment.measurements for experiment in family]
        for prediction in family[0].predictions:
            finding = measure(members, prediction) if prediction.claim == claim else None
            if finding is not None:
                comparisons.append(
                    Comparison(joint_name([member.name for member in members]), members, prediction, finding)
                )
    return comparisons


def joint_name(names: Sequence[str]) -> str:
    """Return what a family is called: ``fc-draw0, fc-draw1, fc-draw2`` are ``fc-draw0..2``."""
    first, last = names[0], names[-1]
    common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return f"{first}..{last[common:]}" if common else " + ".join(names)


def mean_over_draws(values: Sequence[xr.DataArray]) -> OverDraws:
    """Return the mean of one value a network, (width, seed), over draws and initial weights, at these widths."""
    aligned = xr.align(*values, join="outer")  # tables may hold other seeds of each draw
    return mean_over_rows(np.stack([pairs(of_draw) for of_draw in aligned]), width_of_pairs(aligned[0]))


def mean_over_rows(rows: NDArray, width: NDArray | None = None) -> OverDraws:
    """As `mean_over_draws`, of an array (draw, initial weights); ``width``: of each column, where there are several."""
    crossed = crossed_mean(rows, width)
    if crossed is not None:
        estimate, components = crossed
        reason = None if components.n_draws >= MIN_DRAWS else too_few_draws(components.n_draws, MIN_DRAWS)
        return OverDraws(estimate, components, reason)
    present = np.isfinite(rows)
    count = present.sum(axis=1)
    means = np.where(present, rows, 0.0).sum(axis=1)[count > 0] / count[count > 0]
    reason = None if len(means) >= MIN_SEEDS else too_few_draws(len(means), MIN_SEEDS)
    return OverDraws(mean_over(means), None, reason)


def too_few_draws(draws: int, needed: int) -> str:
    """Return why a finding over too few draws is undecided: a clause."""
    return f"{draws} draws of the training points have networks that fit the training set, and {needed} are needed"


def in_words(over: OverDraws, draws: int) -> str:
    """Return over what the interval is, and by how much the values scatter: a clause."""
    parts = over.components
    if parts is None:
        return f"over {draws} draws of the training points, on these initial weights"
    return (
        f"over {parts.n_draws} draws of the training points × {parts.n_weights} initial weights (standard deviations: "
        f"{parts.draws:.2%} between draws, {parts.weights:.2%} between initial weights, {parts.residual:.2%} residual)"
    )


def counts_over_draws(values: Sequence[xr.DataArray]) -> dict[str, Any]:
    """Return the fields of a `Finding` over draws that count its data; ``values``: (width, seed) of each draw."""
    complete = [is_finite(of_draw) for of_draw in values]
    return {
        "n_points": int(sum(present.sum() for present in complete)),
        "n_seeds": max(int(present.any("width").sum()) for present in complete),
        "n_widths": max(int(present.any("seed").sum()) for present in complete),
    }


def draw_label(experiment: Measurements) -> str:
    """Return what a row of the sensitivity calls one draw."""
    return f"draw {experiment.description['data_seed']}"
