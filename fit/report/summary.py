"""What came out, in a few sentences; computed from the verdicts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fit.judge.verdict import Verdict
from fit.report.outcomes import label_of
from fit.report.titles import full_title, is_theorys

#: more undecided laws than these are counted and not named: the table names them
MOST_NAMED = 4


def summary(verdicts: Sequence[Verdict]) -> str:
    """Say which laws hold, which do not, and what stays undecided.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Those with a measurement. Laws that hold by construction are named and not counted.
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
            sentences.append(f"{_list(failing)} {verb} the prediction in at least one experiment.")
        if undecided:
            verb = "stays" if len(undecided) == 1 else "stay"
            named = _list(undecided) if len(undecided) <= MOST_NAMED else f"{len(undecided)} laws"
            sentences.append(f"{named} {verb} undecided with this much data.")
    constructed = _by_title(v for v in theorys if v.by_construction)
    if constructed:
        sentences.append(f"By construction, and not counted: {_list(list(constructed))}.")
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


def _of_the_user(verdict: Verdict) -> str:
    where = f"in {verdict.experiment}"
    sentences = {
        "consistent": f"The data agree with your prediction {verdict.title} {where}.",
        "inconsistent": f"The data contradict your prediction {verdict.title} {where}.",
    }
    return sentences.get(verdict.verdict, f"Your prediction {verdict.title} stays undecided {where}.")


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
