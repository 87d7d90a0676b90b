"""What came out, in a few sentences; computed from the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fit.judge.in_words import short_reason
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.report.laws import Law, laws
from fit.report.outcomes import label_of
from fit.report.titles import full_title, is_theorys
from lazyrich.wording import are, counted, listed

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
    by_title = _by_title(v for v in theorys if not v.by_construction)
    if not judged:
        return "No law could be measured with these data."
    sentences = []
    if by_title:
        failing = [title for title, outcomes in by_title.items() if outcomes["inconsistent"]]
        undecided = [title for title, outcomes in by_title.items() if set(outcomes) == {"inconclusive"}]
        sentences.append(_counts(len(by_title), len(failing), len(undecided)))
        if failing:
            sentences.append(f"Contradicted in at least one experiment: {listed(failing)}.")
        if 0 < len(undecided) <= MOST_NAMED:
            sentences.append(f"Undecided with this much data: {listed(undecided)}.")
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


def _counts(tested: int, contradicted: int, undecided: int) -> str:
    """Say how many laws are consistent (where they are decided at all), contradicted and undecided."""
    counts = {
        "consistent with the data": tested - contradicted - undecided,
        "contradicted": contradicted,
        "undecided": undecided,
    }
    parts = [f"{count} {are(count)} {outcome}" for outcome, count in counts.items() if count]
    return f"Of {counted(tested, 'law')} tested, {listed(parts)}."


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
        sentences.append(f"“{law.title}” is undecided for {where}: {why}.")
    return sentences


def _outcomes(law: Law) -> set[str]:
    return {row.outcome for row in law.rows}


def _of_the_user(verdict: Verdict) -> str:
    where = f"in {verdict.experiment}"
    sentences = {
        "consistent": f"The data agree with your prediction {verdict.title} {where}.",
        "inconsistent": f"The data contradict your prediction {verdict.title} {where}.",
    }
    return sentences.get(verdict.verdict, f"Your prediction {verdict.title} is undecided {where}.")
