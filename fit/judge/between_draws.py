"""How far estimates scatter between draws of the training points, beside their standard errors over initial weights."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from fit.estimators.crossed import MIN_DRAWS
from fit.findings.draws import families
from fit.findings.finding import Finding
from fit.findings.registry import ExperimentFindings


def with_scatter(experiments: Sequence[ExperimentFindings]) -> list[ExperimentFindings]:
    """State the scatter between draws with each power that three draws or more of a family have an estimate of.

    The standard deviation of the estimates between draws is that of the draws and of what networks of equal initial
    weights differ by, (s_D² + s_E²/S)^(1/2): initial weights are common to all draws and drop out. It decides no
    verdict.
    """
    updated = {id(experiment): dict(experiment.findings) for experiment in experiments}
    for family in families(experiments):
        indices_of_laws = [_indices_of_powers(experiment) for experiment in family]
        for law in indices_of_laws[0]:
            if any(law not in indices for indices in indices_of_laws):
                continue
            indices = [of_experiment[law] for of_experiment in indices_of_laws]
            estimates = [experiment.findings[i].estimate for experiment, i in zip(family, indices, strict=True)]
            measured = [e for e in estimates if e is not None]
            if len(measured) < max(MIN_DRAWS, len(family)):
                continue
            scatter = {
                "draws": len(measured),
                "standard_deviation": float(np.std([e.value for e in measured], ddof=1)),
                "standard_error": math.sqrt(np.mean([e.standard_error**2 for e in measured])),
            }
            for experiment, i in zip(family, indices, strict=True):
                updated[id(experiment)][i] = _with_note(experiment.findings[i], scatter)
    return [dataclasses.replace(experiment, findings=updated[id(experiment)]) for experiment in experiments]


def _indices_of_powers(experiment: ExperimentFindings) -> dict[tuple[str, str, str], int]:
    """Return the indices of the predictions of powers that were measured, by claim, variable and regime."""
    return {
        (law.claim, law.variable, law.regime.label): i
        for i, law in enumerate(experiment.predictions)
        if i in experiment.findings and law.exponent is not None
    }


def _with_note(finding: Finding, scatter: dict[str, float]) -> Finding:
    note = (
        f"between {scatter['draws']:.0f} draws of the training points the estimate scatters by "
        f"{scatter['standard_deviation']:.2g} (standard deviation), beside a standard error of "
        f"{scatter['standard_error']:.2g} over initial weights"
    )
    return dataclasses.replace(finding, between_draws=scatter, notes=(*finding.notes, note))
