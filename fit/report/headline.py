"""The first table of a report: one row for each predicted power, however many experiments measured it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fit.findings.outcome import Outcome
from fit.judge.verdict import Verdict

_GRAVEST: tuple[Outcome, ...] = ("inconsistent", "inconclusive", "consistent")


@dataclass(frozen=True)
class Headline:
    """What all experiments say of one law.

    ``shown`` is the measurement that speaks most against it: of the gravest word, the one furthest from the prediction;
    where nothing is decided, the most precise one.
    """

    shown: Verdict
    members: tuple[Verdict, ...]

    @property
    def word(self) -> Outcome:
        """The gravest word that a measurement decided; inconclusive if none decided."""
        decided = [v.verdict for v in self.members if v.verdict != "inconclusive"]
        return next((w for w in _GRAVEST if w in decided), "inconclusive")

    @property
    def tally(self) -> str:
        """How many experiments say so, if not all do."""
        agreeing = sum(v.verdict == self.word for v in self.members)
        return "" if agreeing == len(self.members) else f"in {agreeing} of {len(self.members)}"

    @property
    def law(self) -> str:
        """The law in words."""
        return self.shown.expected

    @property
    def data(self) -> str:
        """On how much data: seeds × widths of an experiment."""
        seeds = sorted({v.n_seeds for v in self.members if v.n_seeds})
        widths = sorted({v.n_widths for v in self.members if v.n_widths})
        return f"{_range(seeds)} × {_range(widths)}" if seeds and widths else "–"


def headlines(verdicts: Sequence[Verdict]) -> list[Headline]:
    """Group measured verdicts by law, regime, variable and power: laws in their order, feature before lazy."""
    grouped: dict[tuple, list[Verdict]] = {}
    for v in verdicts:
        expected = v.expected if v.predicted is None and v.claim != "depth_trend" else None
        grouped.setdefault((v.claim, v.regime, v.variable, v.predicted, expected), []).append(v)
    result = []
    claims = list(dict.fromkeys(key[0] for key in grouped))
    for key in sorted(grouped, key=lambda key: (claims.index(key[0]), key[1], key[2])):
        members = grouped[key]
        word = Headline(members[0], tuple(members)).word
        telling = [v for v in members if v.verdict == word]
        shown = min(telling, key=_width) if word == "inconclusive" else max(telling, key=_distance)
        result.append(Headline(shown, tuple(members)))
    return result


def _distance(verdict: Verdict) -> float:
    if verdict.estimate is None or verdict.predicted_value is None:
        return 0.0
    return abs(verdict.estimate - verdict.predicted_value)


def _width(verdict: Verdict) -> float:
    if verdict.ci_low is None or verdict.ci_high is None:
        return math.inf
    return verdict.ci_high - verdict.ci_low


def _range(values: Sequence[int]) -> str:
    return f"{values[0]}" if values[0] == values[-1] else f"{values[0]}–{values[-1]}"
