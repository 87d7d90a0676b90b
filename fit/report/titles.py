"""What a person reads instead of an identifier: titles of laws, labels of axes, names of files."""

from __future__ import annotations

import functools
from typing import Any

from fit.judge.verdict import VARIABLES, Verdict
from theory.claims import claims
from theory.prediction import Form, Prediction, with_regime

#: how figures label the axis of a variable
AXES = {
    "root_h_alpha": "A = √h·α",
    "root_h_alpha_over_output": "A/F, F = rms output at the stop",
    "width": "width h",
    "neurons": "m·h: networks averaged times width",
}


def variable_of(verdict: Verdict) -> str:
    """Return the symbol of the variable that a verdict is on a power of."""
    return VARIABLES[verdict.variable]


def is_power(law: Verdict | Prediction) -> bool:
    """Whether a law is about a power of its variable, be it one that is bounded or has logarithms beside it."""
    return law.form in (Form.POWER, Form.POWER_WITH_LOGARITHMS, Form.BOUND)


def full_title(verdict: Verdict) -> str:
    """Return the title of a verdict's law with its regime."""
    return with_regime(verdict.title, verdict.regime)


@functools.cache
def section_titles() -> dict[str, str]:
    """Return identifier -> title of theory's claims, in the order of a report."""
    return {claim.name: claim.title for claim in claims()}


def is_theorys(verdict: Verdict) -> bool:
    """Whether a verdict is on a law of theory; else it is on one that the user stated."""
    return verdict.claim in section_titles()


def section_title(verdict: Verdict) -> str:
    """Return the heading under which a verdict stands."""
    return section_titles().get(verdict.claim) or f"Your prediction {verdict.title}"


def quantity_label(attrs: dict[str, Any]) -> str:
    """Return the label of a figure's ordinate, from the attributes of its points."""
    return f"${attrs['y_label']}$"
