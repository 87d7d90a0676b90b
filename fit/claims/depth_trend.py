"""Whether the kernel change grows more steeply towards A -> 0 the deeper the network."""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from fit.claims.kernel_change_feature import kernel_change_feature
from fit.estimators.estimate import Estimate
from fit.estimators.paired import plus
from fit.findings.finding import Finding
from fit.findings.outcome import LEVEL, Outcome
from fit.findings.registry import Comparison, ExperimentFindings, compares

#: What experiments must share to be compared at different depths.
SAME = ("activation", "dataset", "n_train", "loss", "architecture", "normalise", "pca", "data_seed")


@compares(group="Kernel", stands_for_power="grows", measured_as="least rise with depth")
def depth_trend(experiments: Sequence[ExperimentFindings]) -> list[Comparison]:
    """Compare the feature exponents a(L) = -(power of A) of experiments that differ in depth alone.

    Consecutive depths are compared by Welch's t: `consistent` if every step of a is positive with its 90 % interval,
    `inconsistent` if some step is negative with its 95 % interval (Bonferroni over the steps, then Holm over all
    claims), else `inconclusive`. The estimate is the smallest step. Where theory claims no trend, there is no verdict.
    """
    claim = depth_trend.__name__
    families: dict[tuple, list[ExperimentFindings]] = {}
    for experiment in experiments:
        if experiment.prediction(claim) is not None:
            key = tuple(str(experiment.measurements.description.get(field)) for field in SAME)
            families.setdefault(key, []).append(experiment)
    comparisons = []
    for family in families.values():
        members = sorted(family, key=lambda member: member.measurements.depth or 0)
        prediction = members[-1].prediction(claim)
        assert prediction is not None
        finding = _compare(members)
        if not prediction.claimed:
            finding = dataclasses.replace(finding, outcome=None, reason="", p_value_against=None)
        measured = [member.measurements for member in members]
        comparisons.append(
            Comparison(" + ".join(experiment.name for experiment in measured), measured, prediction, finding)
        )
    return comparisons


def _compare(members: Sequence[ExperimentFindings]) -> Finding:
    findings = [
        (member.measurements.depth, finding)
        for member in members
        if (finding := member.finding(kernel_change_feature.__name__, "root_h_alpha")) is not None
    ]
    decided = [(depth, finding) for depth, finding in findings if not finding.undecided_because]
    usable: list[tuple[int | None, Estimate]] = [
        (depth, finding.estimate) for depth, finding in decided if finding.estimate is not None
    ]
    if len({depth for depth, _ in usable}) < 2:
        reason = "the exponent could be measured at one depth only, and a trend needs two"
        return Finding(undecided_because=reason, in_short="1 depth of 2")
    steps = [plus(shallow, deep, -1.0) for (depth, shallow), (deeper, deep) in pairwise(usable) if depth != deeper]
    smallest = min(steps, key=lambda step: step.value)
    exponents = "the exponents are " + ", ".join(f"a({depth}) = {-estimate.value:.3f}" for depth, estimate in usable)
    p_value_against = min(1.0, len(steps) * min(step.p_value_at_least(0.0) for step in steps))
    outcome: Outcome = "inconclusive"
    reason = f"{exponents}, and the 90 % interval of a step from one depth to the next includes zero"
    if all(step.interval(0.90)[0] > 0 for step in steps):
        outcome, reason = (
            "consistent",
            f"{exponents}, and the 90 % interval of every step from one depth to the next is positive",
        )
    elif p_value_against < LEVEL:
        outcome, reason = (
            "inconsistent",
            f"{exponents}, and the 95 % interval of a step from one depth to the next is negative",
        )
    return Finding(
        estimate=smallest,
        range=decided[0][1].range,
        n_points=len(usable),
        n_seeds=min(finding.n_seeds for _, finding in decided),
        n_widths=min(finding.n_widths for _, finding in decided),
        outcome=outcome,
        reason=reason,
        in_short="the interval of a step includes 0",
        p_value_against=p_value_against,
    )
