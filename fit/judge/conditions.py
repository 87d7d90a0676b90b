"""What the laws of theory are derived for, and which experiments lack it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from fit.findings.finding import Finding
from fit.findings.registry import ExperimentFindings
from fit.measurements.measurements import Measurements
from fit.user_predictions import UserPrediction
from theory.prediction import Prediction


def with_conditions_checked(findings: ExperimentFindings) -> ExperimentFindings:
    """Return the findings of an experiment without verdicts on laws that are not derived for it."""
    checked = {
        i: _withheld(findings.measurements, findings.predictions[i], finding)
        for i, finding in findings.findings.items()
    }
    return dataclasses.replace(findings, findings=checked)


def _withheld(experiment: Measurements, law: Prediction, finding: Finding) -> Finding:
    """Withhold the verdict on a law of theory where the experiment lacks what the law is derived for.

    An output bias has a kernel h times that of the rest, so that networks with biases obey no scaling in A. Without
    f_0 subtracted the output starts at alpha f_0 ~ A/sqrt(h): negligible where A << 1, and nowhere else. Adam moves
    every weight by its learning rate, whatever the gradient is: no power counting of gradients is about it.
    """
    if isinstance(law, UserPrediction):
        return finding
    bias = experiment.description.get("bias") or 0
    if bias:
        lacking = f"the law is derived for networks without bias, and these have bias = {bias:g}"
    elif not experiment.description.get("subtract_initial", True) and law.regime.name != "feature":
        lacking = "the law is derived for F = alpha (f - f_0), and here f_0 is not subtracted"
    elif _dynamics(experiment) == "adam":
        lacking = "the law is derived for gradient flow, and these networks were trained by Adam"
    else:
        return finding
    return dataclasses.replace(
        finding,
        undecided_because=finding.undecided_because or lacking,
        not_claimed_because=lacking,
        outcome=None,
        reason="",
        p_value_against=None,
    )


def _dynamics(experiment: Measurements) -> str | None:
    dynamics = experiment.description.get("dynamics")
    return dynamics.get("name") if isinstance(dynamics, Mapping) else dynamics
