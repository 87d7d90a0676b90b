"""Which regime generalises better over several draws of the training points, not on one of them.

Initial weights are drawn anew in every network, training points once an experiment: an interval over seeds is
conditional on them. Experiments that differ in their draw alone are therefore compared draw by draw, and the interval
is over draws.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fit.claims.performance import (
    one_sided,
    regime_amplitudes,
    regime_difference,
    told_of_regimes,
    towards_prediction,
    without_sign,
)
from fit.estimators.estimate import Estimate
from fit.estimators.slopes import mean_over
from fit.findings.finding import MIN_SEEDS, Finding, sensitivity_row
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: What experiments of one family may differ in.
APART = ("name", "data_seed")


def regime_preference_over_draws(
    found: Sequence[Measurements], predictions: Mapping[str, Sequence[Prediction]]
) -> list[tuple[str, list[Measurements], Prediction, Finding]]:
    """Compare the regimes over draws of the training points, family by family.

    A family is two or more experiments that differ in ``data_seed`` (and name) alone. A draw counts once: the mean of
    its pairs of networks, feature minus lazy; the interval is Student's over draws.

    Returns
    -------
    list of (experiments' joint name, experiments, prediction, finding)
        One entry per family whose predictions include the claim and whose grids hold both amplitudes.
    """
    families: dict[str, list[Measurements]] = {}
    for one in found:
        if "data_seed" in one.description and "test_error" in one:
            fields = {key: value for key, value in one.description.items() if key not in APART}
            families.setdefault(json.dumps(fields, sort_keys=True, default=str), []).append(one)
    results = []
    for family in families.values():
        members = sorted(family, key=lambda one: one.description["data_seed"])
        stated = [p for p in predictions[members[0].name] if p.claim == "regime_preference"]
        differences = [regime_difference(one) for one in members]
        if len({one.description["data_seed"] for one in members}) < 2 or not stated or differences[0] is None:
            continue
        finding = _over_draws(members, [d for d in differences if d is not None])
        results.append((joint_name([one.name for one in members]), members, stated[0], finding))
    return results


def joint_name(names: Sequence[str]) -> str:
    """Return what a family is called: ``fc-draw0, fc-draw1, fc-draw2`` are ``fc-draw0..2``."""
    first, last = names[0], names[-1]
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return f"{first}..{last[same:]}" if same else " + ".join(names)


def _over_draws(members: Sequence[Measurements], differences: Sequence[np.ndarray]) -> Finding:
    pairs = [np.isfinite(d) for d in differences]
    means = np.array([np.nan if not seen.any() else d[seen].mean() for d, seen in zip(differences, pairs, strict=True)])
    draws = int(np.isfinite(means).sum())
    estimate = mean_over(means)
    rows = [
        sensitivity_row(f"draw {one.description['data_seed']}", mean_over(d.ravel()))
        for one, d in zip(members, differences, strict=True)
    ]
    low, high = regime_amplitudes(members[0])
    shared: dict[str, Any] = {
        "range": {"variable": "root_h_alpha", "low": low, "high": high},
        "n_points": int(sum(seen.sum() for seen in pairs)),
        "n_seeds": max(int(seen.any(axis=0).sum()) for seen in pairs),
        "n_widths": len(members[0].widths),
        "sensitivity": rows,
    }
    if estimate is None or draws < MIN_SEEDS:
        refusal = f"{draws} draws of the training points have pairs that fit, and {MIN_SEEDS} are needed"
        return Finding(estimate=estimate, refusal=refusal, **shared)
    told = told_of_regimes(estimate, f"over {draws} draws of the training points")
    no_sign = without_sign(members[0])
    if no_sign:
        return Finding(estimate=estimate, refusal=f"{told}; {no_sign}", **shared)
    towards: Estimate = towards_prediction(members[0], estimate)
    outcome, against = one_sided(towards, told)
    return Finding(estimate=estimate, outcome=outcome, p_value_against=against, **shared)
