"""Whether the kernel change grows more steeply towards A -> 0 the deeper the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise

from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.finding import Finding
from fit.findings.outcome import LEVEL, Outcome
from fit.measurements.measurements import Measurements
from theory.prediction import Prediction

#: What experiments must share to be compared at different depths.
SAME = ("activation", "dataset", "n_train", "loss", "architecture", "normalise", "pca", "data_seed")


def depth_trend(
    found: Sequence[Measurements],
    predictions: Mapping[str, Sequence[Prediction]],
    slopes: Mapping[str, Finding],
) -> list[tuple[str, list[Measurements], Prediction, Finding]]:
    """Compare the feature exponents a(L) = -(power of A) of experiments that differ in depth alone.

    Consecutive depths are compared by Welch's t: `consistent` if every step of a is positive with its 90 % interval,
    `inconsistent` if some step is negative with its 95 % interval (Bonferroni over the steps, then Holm over all
    claims), else `inconclusive`. The estimate is the smallest step. Where theory claims no trend, there is no verdict.

    Returns
    -------
    list of (experiments' joint name, experiments, prediction, finding)
        One entry per family of experiments whose predictions include the claim.
    """
    families: dict[tuple, list[Measurements]] = {}
    for one in found:
        if any(p.claim == "depth_trend" for p in predictions[one.name]):
            families.setdefault(tuple(str(one.description.get(key)) for key in SAME), []).append(one)
    results = []
    for family in families.values():
        members = sorted(family, key=lambda one: one.depth or 0)
        prediction = next(p for p in predictions[members[-1].name] if p.claim == "depth_trend")
        finding = _compare(members, slopes)
        if not prediction.claimed:
            finding = dataclasses.replace(finding, outcome=None, p_value_against=None)
        results.append((" + ".join(one.name for one in members), members, prediction, finding))
    return results


def _compare(members: Sequence[Measurements], slopes: Mapping[str, Finding]) -> Finding:
    usable: list[tuple[int | None, Estimate]] = []
    for one in members:
        finding = slopes.get(one.name)
        if finding is not None and finding.estimate is not None and not finding.refusal:
            usable.append((one.depth, finding.estimate))
    if len({depth for depth, _ in usable}) < 2:
        return Finding(refusal="the source holds a measured exponent at one depth only")
    steps = [plus(shallow, deep, -1.0) for (first, shallow), (second, deep) in pairwise(usable) if first != second]
    smallest = min(steps, key=lambda step: step.value)
    listed = "the exponents are " + ", ".join(f"a({depth}) = {-estimate.value:.3f}" for depth, estimate in usable)
    against = min(1.0, len(steps) * min(step.p_value_at_least(0.0) for step in steps))
    outcome: tuple[Outcome, str] = ("inconclusive", f"{listed}: the interval of a step includes none")
    if all(step.interval(0.90)[0] > 0 for step in steps):
        outcome = ("consistent", f"{listed}: every step is positive with its 90 % interval")
    elif against < LEVEL:
        outcome = ("inconsistent", f"{listed}: a step is negative with its 95 % interval")
    used = [slopes[one.name] for one in members if one.name in slopes]
    return Finding(
        estimate=smallest,
        range=used[0].range,
        n_points=len(usable),
        n_seeds=min(one.n_seeds for one in used),
        n_widths=min(one.n_widths for one in used),
        outcome=outcome,
        p_value_against=against,
    )
