"""What a law of theory is derived for, and the experiments that it says nothing about."""

from __future__ import annotations

import dataclasses

from fit.findings.finding import Finding
from fit.findings.registry import Comparison, ExperimentFindings
from fit.measurements.description import dynamics_name
from fit.measurements.measurements import Measurements
from fit.measurements.network_class import names_architecture, network_class
from fit.user_predictions import UserPrediction
from theory.dynamics import in_words
from theory.prediction import Prediction


def with_conditions_checked(findings: ExperimentFindings) -> ExperimentFindings:
    """Return the findings of an experiment without verdicts on laws that are not derived for it."""
    checked = {
        i: _without_verdict(finding, reason)
        if (reason := not_derived_for(findings.predictions[i], findings.measurements)) is not None
        else finding
        for i, finding in findings.findings.items()
    }
    return dataclasses.replace(findings, findings=checked)


def comparison_with_conditions_checked(comparison: Comparison) -> Comparison:
    """Return a comparison of experiments without a verdict where the law is derived for none of them.

    Where it is derived for some, the comparison rests on these: the findings of the others are undecided.
    """
    reasons = [not_derived_for(comparison.prediction, member) for member in comparison.members]
    if not reasons or reasons[0] is None or None in reasons:
        return comparison
    return dataclasses.replace(comparison, finding=_without_verdict(comparison.finding, reasons[0]))


def not_derived_for(law: Prediction, experiment: Measurements) -> tuple[str, str] | None:
    """Return why a law says nothing about an experiment, as a clause and in a few words; None where it does.

    An output bias has a kernel h times that of the other weights, so that networks with biases obey no scaling in A.
    Without f_0 subtracted the output starts at alpha f_0 ~ A/sqrt(h): negligible where A << 1, and nowhere else; of the
    lazy regime there is a law of its own then. Branches beside the layers (residual networks) change the degree that
    some exponents are made of. Power counting of gradients holds for the dynamics that a law names
    (`Prediction.dynamics`): momentum adds a time scale of its own, a finite learning rate a largest stable curvature,
    and Adam moves every weight by its learning rate, whatever the gradient. A user's prediction is tested as it is, and
    so are measurements that do not describe their training.
    """
    if isinstance(law, UserPrediction):
        return None
    description = experiment.description
    bias = description.get("bias") or 0
    if bias:
        return f"the law is derived for networks without bias, and these have bias = {bias:g}", "networks with biases"
    subtracted = description.get("subtract_initial", True)
    if law.subtracts_initial and not subtracted and law.regime.name != "feature":
        return "the law is derived for F = α (f − f₀), and here f₀ is not subtracted", "f₀ is not subtracted"
    if subtracted and not law.subtracts_initial:
        return "the law is derived for F = α f, and here f₀ is subtracted", "f₀ is subtracted"
    if law.counts_layers and not _layers_in_sequence(experiment):
        architecture = description["architecture"]
        reason = f"the law counts layers one after another, and architecture {architecture} has branches beside them"
        return reason, "layers with branches"
    name = dynamics_name(description)
    if name is not None and name not in law.dynamics:
        trained_by = f"trained by {in_words([name])}"
        return f"the law is derived for {in_words(law.dynamics)}, and these networks were {trained_by}", trained_by
    return None


def _layers_in_sequence(experiment: Measurements) -> bool:
    """Whether the networks are not known to have branches beside their layers."""
    if not names_architecture(experiment):
        return True
    networks = network_class(experiment)
    return networks is None or networks.layers_in_sequence


def _without_verdict(finding: Finding, not_derived: tuple[str, str]) -> Finding:
    reason, in_short = not_derived
    return dataclasses.replace(
        finding,
        undecided_because=finding.undecided_because or reason,
        in_short=in_short,
        not_claimed_because=reason,
        outcome=None,
        reason="",
        p_value_against=None,
        contrast=None,
    )


def conditional_on(experiment: Measurements) -> str:
    """Return what the intervals of one experiment are conditional on: its training points were drawn once."""
    draw = experiment.description.get("data_seed")
    return f"one draw of the training points{'' if draw is None else f' (data seed {draw})'}"
