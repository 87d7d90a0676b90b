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
    changed = {id(one): dict(one.findings) for one in experiments}
    for family in families(experiments):
        laws = [_laws(one) for one in family]
        for law in laws[0]:
            if any(law not in of_draw for of_draw in laws):
                continue
            places = [of_draw[law] for of_draw in laws]
            estimates = [one.findings[i].estimate for one, i in zip(family, places, strict=True)]
            known = [e for e in estimates if e is not None]
            if len(known) < max(MIN_DRAWS, len(family)):
                continue
            scatter = {
                "draws": len(known),
                "standard_deviation": float(np.std([e.value for e in known], ddof=1)),
                "standard_error": math.sqrt(np.mean([e.standard_error**2 for e in known])),
            }
            for one, i in zip(family, places, strict=True):
                changed[id(one)][i] = _stated(one.findings[i], scatter)
    return [dataclasses.replace(one, findings=changed[id(one)]) for one in experiments]


def _laws(one: ExperimentFindings) -> dict[tuple[str, str, str], int]:
    """Return the places of the powers that one experiment was measured for, by claim, variable and regime."""
    return {
        (law.claim, law.variable, law.regime.name): i
        for i, law in enumerate(one.predictions)
        if i in one.findings and law.exponent is not None
    }


def _stated(finding: Finding, scatter: dict[str, float]) -> Finding:
    note = (
        f"between {scatter['draws']:.0f} draws of the training points the estimate scatters by "
        f"{scatter['standard_deviation']:.2g} (standard deviation), beside a standard error of "
        f"{scatter['standard_error']:.2g} over initial weights"
    )
    return dataclasses.replace(finding, between_draws=scatter, notes=(*finding.notes, note))
