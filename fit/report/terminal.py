"""The verdicts on a terminal: each law once, with its title, what was predicted, measured and concluded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fit.judge.in_words import distance_text, predicted_text, short_reason
from fit.judge.verdict import Verdict
from fit.measurements.measurements import Measurements
from fit.report.content import decisive, measured
from fit.report.data_state import headline, state_of
from fit.report.laws import Law, LawRow, laws
from fit.report.summary import outcome_counts, summary
from lazyrich.wording import counted

_STYLES = {"consistent": "green", "inconsistent": "red", "inconclusive": "yellow", "unclaimed": "dim"}


def print_verdicts(
    out: Console, verdicts: Sequence[Verdict], folder: Path, experiments: Sequence[Measurements] = ()
) -> None:
    """Print what the data are, what was measured of each law, what came out, and where the report is."""
    if experiments:
        out.print(Text(headline([state_of(experiment) for experiment in experiments])))
        out.print()
    deciding = decisive(verdicts)
    if deciding:
        out.print(Text("Of each law: networks, predicted, measured ± 95 %, outcome.", style="dim"))
    for law in laws(deciding, experiments):
        out.print(Text(_heading(law)))
        out.print(Padding(_rows(law, out.width - 2), (0, 0, 0, 2)))
    if deciding:
        out.print()
    out.print(Text(f"{summary(deciding, experiments)}{_remaining(verdicts, deciding)}"))
    if deciding:
        symbols = "A = √h·α, h is the width. s.e.: standard errors from the exact prediction, where 95 % exclude it."
        out.print(Text(symbols))
    out.print()
    out.print(f"{folder / 'report.html'}", soft_wrap=True, markup=False)


def _heading(law: Law) -> str:
    remarks = [law.measured_as] if law.measured_as else []
    remarks += ["by construction"] if law.by_construction else []
    return f"{law.title} ({', '.join(remarks)})" if remarks else law.title


def _rows(law: Law, width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False, width=width)
    for _ in range(3):
        table.add_column(no_wrap=True, min_width=6)
    table.add_column(ratio=1, overflow="fold")
    for row in law.rows:
        table.add_row(
            row.networks or "–", predicted_text(row.shown), row.shown.measured_in_words, _outcome(row)
        )  # fmt: skip
    return table


def _outcome(row: LawRow) -> Text:
    text = Text(row.label.text, style=_STYLES[row.label.name])
    if row.tally and row.shown.verdict != "inconclusive":
        text.append(f" {row.tally}")
    remark = short_reason(row.shown) or distance_text(row.shown)
    if remark:
        text.append(f" ({remark})")
    return text


def _remaining(verdicts: Sequence[Verdict], deciding: Sequence[Verdict]) -> str:
    if not deciding:
        return ""
    clauses = [f"Measurements: {outcome_counts(deciding)}"]
    more = len(measured(verdicts)) - len(deciding)
    clauses += [f"{more} more are undecided where another experiment decides"] if more else []
    unmeasured = len([v for v in verdicts if v.claimed]) - len([v for v in measured(verdicts) if v.claimed])
    clauses += [f"{counted(unmeasured, 'prediction')} could not be measured with these data"] if unmeasured else []
    return f" {'; '.join(clauses)}."
