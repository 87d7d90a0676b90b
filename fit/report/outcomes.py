"""The outcome of a verdict as a page shows it, with "no prediction" told from "undecided"."""

from __future__ import annotations

from dataclasses import dataclass

from fit.judge.verdict import Verdict


@dataclass(frozen=True)
class Label:
    """``name`` is the CSS class, ``text`` what is read."""

    name: str
    text: str


CONSISTENT = Label("consistent", "consistent")
INCONSISTENT = Label("inconsistent", "inconsistent")
UNDECIDED = Label("inconclusive", "undecided")
NO_PREDICTION = Label("unclaimed", "no prediction")
LABELS = (CONSISTENT, INCONSISTENT, UNDECIDED, NO_PREDICTION)
_BY_TEXT = {label.text: label for label in LABELS}


def label_of(verdict: Verdict) -> Label:
    """Return the label of `Verdict.outcome_in_words`."""
    return _BY_TEXT[verdict.outcome_in_words]
