"""The report's first table: each law once, with all its predictions, however many experiments measured them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fit.findings.outcome import Outcome
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.report.outcomes import Label, label_of
from fit.report.titles import full_title, is_power

_GRAVEST: tuple[Outcome, ...] = ("inconsistent", "inconclusive", "consistent")
#: activations or experiments that name a row; of more, their number does
_MOST_NAMED = 2


@dataclass(frozen=True)
class LawRow:
    """What all experiments say of one predicted power (or whatever else a law predicts).

    ``shown`` is the measurement that speaks most against it: of the gravest outcome, the one furthest from the
    prediction; where nothing is decided, the most precise one.
    """

    shown: Verdict
    members: tuple[Verdict, ...]
    networks: str = ""  #: which networks it is predicted for: "L = 1, 3", or "relu, L = 1" beside rows of others

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome that a measurement decided; inconclusive if none decided."""
        decided = [v.verdict for v in self.members if v.verdict != "inconclusive"]
        return next((outcome for outcome in _GRAVEST if outcome in decided), "inconclusive")

    @property
    def label(self) -> Label:
        """The outcome as a person reads it."""
        return label_of(self.shown)

    @property
    def tally(self) -> str:
        """In how many experiments it came out so, if not in all."""
        agreeing = sum(v.verdict == self.outcome for v in self.members)
        return "" if agreeing == len(self.members) else f"in {agreeing} of {len(self.members)}"

    @property
    def data(self) -> str:
        """On how much data: seeds × widths of an experiment."""
        seeds = sorted({v.n_seeds for v in self.members if v.n_seeds})
        widths = sorted({v.n_widths for v in self.members if v.n_widths})
        return f"{_range(seeds)} × {_range(widths)}" if seeds and widths else "–"


@dataclass(frozen=True)
class Law:
    """A law in one regime, as a power of one variable, and what is predicted and measured at each depth."""

    claim: str  #: the identifier, for anchors
    title: str
    regime: str
    variable: str
    by_construction: bool
    is_power: bool  #: of ``variable``; else a comparison, a trend or a logarithm
    rows: tuple[LawRow, ...]

    @property
    def measured_as(self) -> str:
        """What the numbers of its rows are: "power of A", or "measured over computed"."""
        return self.rows[0].shown.compared_is_the


def laws(verdicts: Sequence[Verdict], measured: Sequence[Measurements] = ()) -> list[Law]:
    """Group measured verdicts by law, regime and variable: laws in the order of the verdicts, feature before lazy."""
    by_name = {one.name: one for one in measured}
    rows = law_rows(verdicts, measured)
    grouped: dict[tuple, list[LawRow]] = {}
    for row in rows:
        grouped.setdefault((row.shown.claim, row.shown.regime, row.shown.variable), []).append(row)
    result = []
    for (claim, regime, variable), members in grouped.items():
        first = members[0].shown
        members = sorted(_told_apart(members, by_name), key=_by_depth)
        result.append(
            Law(
                claim,
                full_title(first),
                regime,
                variable,
                all(v.by_construction for row in members for v in row.members),
                is_power(first),
                tuple(members),
            )
        )
    return result


def _by_depth(row: LawRow) -> tuple[str, str]:
    return row.networks.rpartition("L = ")[2], row.networks


def same_prediction(verdict: Verdict) -> tuple:
    """Return what two verdicts have in common if they are about one prediction."""
    v = verdict
    return v.claim, v.regime, v.variable, v.predicted, v.form, v.not_claimed_because


def law_rows(verdicts: Sequence[Verdict], measured: Sequence[Measurements] = ()) -> list[LawRow]:
    """Group measured verdicts by law, regime, variable and prediction."""
    grouped: dict[tuple, list[Verdict]] = {}
    for v in verdicts:
        grouped.setdefault(same_prediction(v), []).append(v)
    claims = list(dict.fromkeys(key[0] for key in grouped))
    networks = {experiment.name: experiment for experiment in measured}
    result = []
    for key in sorted(grouped, key=lambda key: (claims.index(key[0]), key[1], key[2])):
        members = grouped[key]
        outcome = LawRow(members[0], tuple(members)).outcome
        telling = [v for v in members if v.verdict == outcome]
        shown = min(telling, key=_width) if outcome == "inconclusive" else max(telling, key=_distance)
        result.append(LawRow(shown, tuple(members), _networks_of(members, networks)))
    return result


def _told_apart(rows: Sequence[LawRow], measured: Mapping[str, Measurements]) -> list[LawRow]:
    """Return a law's rows, each with a name of its own: depths, with the activation or the experiments if need be."""
    depths = [set(row.networks.removeprefix("L = ").split(", ")) for row in rows]
    if all(not (depths[i] & depths[j]) for i in range(len(rows)) for j in range(i)):
        return list(rows)
    by_activation = [_prefixed(row, _activations_of(row.members, measured)) for row in rows]
    if len({row.networks for row in by_activation}) == len(rows):
        return by_activation
    return [_prefixed(row, [v.experiment for v in row.members]) for row in rows]


def _prefixed(row: LawRow, names: Sequence[str]) -> LawRow:
    unique = list(dict.fromkeys(names))
    name = ", ".join(unique) if len(unique) <= _MOST_NAMED else f"{unique[0]} and {len(unique) - 1} more"
    return replace(row, networks=", ".join(part for part in (name, row.networks) if part))


def _activations_of(verdicts: Sequence[Verdict], measured: Mapping[str, Measurements]) -> list[str]:
    names = [name for v in verdicts for name in v.experiment.split(" + ")]
    return [str(measured[name].activation) for name in names if name in measured and measured[name].activation]


def _networks_of(verdicts: Sequence[Verdict], measured: Mapping[str, Measurements]) -> str:
    """The depths of the networks that verdicts are about."""
    names = {name for v in verdicts for name in v.experiment.split(" + ")}
    members = [measured[name] for name in names if name in measured]
    depths = sorted({experiment.depth for experiment in members if experiment.depth is not None})
    if not depths:
        return ""
    return "L = " + ", ".join(str(depth) for depth in depths)


def _distance(verdict: Verdict) -> float:
    if verdict.estimate is None or verdict.compared_with is None:
        return 0.0
    return abs(verdict.estimate - verdict.compared_with)


def _width(verdict: Verdict) -> float:
    if verdict.ci_low is None or verdict.ci_high is None:
        return math.inf
    return verdict.ci_high - verdict.ci_low


def _range(values: Sequence[int]) -> str:
    return f"{values[0]}" if values[0] == values[-1] else f"{values[0]}–{values[-1]}"
