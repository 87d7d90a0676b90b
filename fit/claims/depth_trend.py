"""Whether the kernel change grows more steeply towards A -> 0 the deeper the network."""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from fit.claims.kernel_change_feature import kernel_change_feature
from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.finding import Finding
from fit.findings.outcome import LEVEL, Outcome
from fit.findings.registry import Assessed, Comparison, compares

#: What experiments must share to be compared at different depths.
SAME = ("activation", "dataset", "n_train", "loss", "architecture", "normalise", "pca", "data_seed")


@compares(group="Kernel", stands_for_power="grows")
def depth_trend(experiments: Sequence[Assessed]) -> list[Comparison]:
    """Compare the feature exponents a(L) = -(power of A) of experiments that differ in depth alone.

    Consecutive depths are compared by Welch's t: `consistent` if every step of a is positive with its 90 % interval,
    `inconsistent` if some step is negative with its 95 % interval (Bonferroni over the steps, then Holm over all
    claims), else `inconclusive`. The estimate is the smallest step. Where theory claims no trend, there is no verdict.
    """
    claim = depth_trend.__name__
    families: dict[tuple, list[Assessed]] = {}
    for one in experiments:
        if one.prediction(claim) is not None:
            families.setdefault(tuple(str(one.measurements.description.get(key)) for key in SAME), []).append(one)
    comparisons = []
    for family in families.values():
        members = sorted(family, key=lambda one: one.measurements.depth or 0)
        prediction = members[-1].prediction(claim)
        assert prediction is not None
        finding = _compare(members)
        if not prediction.claimed:
            finding = dataclasses.replace(finding, outcome=None, reason="", p_value_against=None)
        measured = [one.measurements for one in members]
        comparisons.append(Comparison(" + ".join(one.name for one in measured), measured, prediction, finding))
    return comparisons


def _compare(members: Sequence[Assessed]) -> Finding:
    slopes = [(one.measurements.depth, one.finding(kernel_change_feature.__name__, "root_h_alpha")) for one in members]
    found = [(depth, slope) for depth, slope in slopes if slope is not None]
    usable: list[tuple[int | None, Estimate]] = [
        (depth, slope.estimate) for depth, slope in found if slope.estimate is not None and not slope.refusal
    ]
    if len({depth for depth, _ in usable}) < 2:
        return Finding(refusal="the source holds a measured exponent at one depth only")
    steps = [plus(shallow, deep, -1.0) for (first, shallow), (second, deep) in pairwise(usable) if first != second]
    smallest = min(steps, key=lambda step: step.value)
    exponents = "the exponents are " + ", ".join(f"a({depth}) = {-estimate.value:.3f}" for depth, estimate in usable)
    against = min(1.0, len(steps) * min(step.p_value_at_least(0.0) for step in steps))
    outcome: Outcome = "inconclusive"
    reason = f"{exponents}: the interval of a step includes none"
    if all(step.interval(0.90)[0] > 0 for step in steps):
        outcome, reason = "consistent", f"{exponents}: every step is positive with its 90 % interval"
    elif against < LEVEL:
        outcome, reason = "inconsistent", f"{exponents}: a step is negative with its 95 % interval"
    return Finding(
        estimate=smallest,
        range=found[0][1].range,
        n_points=len(usable),
        n_seeds=min(slope.n_seeds for _, slope in found),
        n_widths=min(slope.n_widths for _, slope in found),
        outcome=outcome,
        reason=reason,
        p_value_against=against,
    )
