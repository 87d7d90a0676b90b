"""What came out, in a few sentences; computed from the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.report.laws import Law, laws
from fit.report.outcomes import label_of, short_reason
from fit.report.titles import full_title, is_theorys
from lazyrich.wording import listed

#: more undecided laws than these are counted and not named: the table names them
MOST_NAMED = 4


def summary(verdicts: Sequence[Verdict], experiments: Sequence[Measurements] = ()) -> str:
    """Say which laws hold, which do not, and what stays undecided, at some of the depths too.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Those with a measurement. Laws that hold by construction are named and not counted.
    experiments : sequence of Measurements, optional
        What they are about: depths are named then.
    """
    judged = [v for v in verdicts if not v.without_prediction]
    theorys = [v for v in judged if is_theorys(v)]
    counted = _by_title(v for v in theorys if not v.by_construction)
    if not judged:
        return "No law could be measured with these data."
    sentences = []
    if counted:
        sentences.append(_holding(counted))
        failing = [title for title, outcomes in counted.items() if outcomes["inconsistent"]]
        undecided = [title for title, outcomes in counted.items() if set(outcomes) == {"inconclusive"}]
        if failing:
            verb = "contradicts" if len(failing) == 1 else "contradict"
            sentences.append(f"{listed(failing)} {verb} the prediction in at least one experiment.")
        if undecided:
            verb = "stays" if len(undecided) == 1 else "stay"
            named = listed(undecided) if len(undecided) <= MOST_NAMED else f"{len(undecided)} laws"
            sentences.append(f"{named} {verb} undecided with this much data.")
        sentences += _undecided_for_some([v for v in theorys if not v.by_construction], experiments)
    constructed = _by_title(v for v in theorys if v.by_construction)
    if constructed:
        sentences.append(f"By construction, and not counted: {listed(list(constructed))}.")
    for v in judged:
        if not is_theorys(v):
            sentences.append(_of_the_user(v))
    return " ".join(sentences)


def outcome_counts(verdicts: Sequence[Verdict]) -> str:
    """Count the measurements by outcome: "44 consistent, 2 undecided"."""
    counts = Counter(label_of(v).text for v in verdicts)
    return ", ".join(f"{count} {text}" for text, count in counts.most_common())


def _by_title(verdicts) -> dict[str, Counter]:
    grouped: dict[str, Counter] = {}
    for v in verdicts:
        grouped.setdefault(f"“{full_title(v)}”", Counter())[v.verdict] += 1
    return grouped


def _holding(counted: dict[str, Counter]) -> str:
    holding = sum(bool(outcomes["consistent"]) and not outcomes["inconsistent"] for outcomes in counted.values())
    return f"{holding} of {len(counted)} laws hold wherever the data decide."


def _undecided_for_some(verdicts: Sequence[Verdict], experiments: Sequence[Measurements]) -> list[str]:
    """Say which laws that hold for some networks are undecided for others, and why."""
    partly = [law for law in laws(verdicts, experiments) if {"consistent", "inconclusive"} <= _outcomes(law)]
    if len(partly) > MOST_NAMED:
        return [f"{len(partly)} laws are decided for some networks and undecided for others."]
    sentences = []
    for law in partly:
        rows = [row for row in law.rows if row.outcome == "inconclusive"]
        where = listed([row.networks or row.shown.experiment for row in rows])
        why = listed(list(dict.fromkeys(short_reason(row.shown) for row in rows)))
        sentences.append(f"“{law.title}” stays undecided for {where}: {why}.")
    return sentences


def _outcomes(law: Law) -> set[str]:
    return {row.outcome for row in law.rows}


def _of_the_user(verdict: Verdict) -> str:
    where = f"in {verdict.experiment}"
    sentences = {
        "consistent": f"The data agree with your prediction {verdict.title} {where}.",
        "inconsistent": f"The data contradict your prediction {verdict.title} {where}.",
    }
    return sentences.get(verdict.verdict, f"Your prediction {verdict.title} stays undecided {where}.")
