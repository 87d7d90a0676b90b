"""The verdicts of one assessment: a list that a notebook, a table and an article can show."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from fit.judge.in_words import predicted_text, short_reason
from fit.judge.verdict import VARIABLES, Verdict
from lazyrich import html

if TYPE_CHECKING:
    import pandas as pd

#: fields of a verdict that are tables of their own, or of no use in one
_NOT_A_COLUMN = ("range", "excluded", "sensitivity", "goodness", "rivals", "between_draws", "schema_version")
#: fields in the order of the columns of `Verdicts.to_dataframe` that come first
_FIRST = (
    "experiment", "claim", "title", "regime", "variable", "predicted", "predicted_value", "estimate", "ci_low",
    "ci_high", "standard_error", "p_value", "margin", "verdict", "outcome", "reason",
)  # fmt: skip
_COLUMNS = ("experiment", "law", "regime", "what is compared", "predicted", "measured", "outcome")
_REASON = "why undecided"
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "–": "--", "±": r"$\pm$", "√": r"$\surd$",
    "α": r"$\alpha$", "Θ": r"$\Theta$", "Δ": r"$\Delta$", "δ": r"$\delta$", "σ": r"$\sigma$", "²": r"$^2$",
    "∞": r"$\infty$", "≤": r"$\le$", "≥": r"$\ge$", "·": r"$\cdot$", "½": r"$\tfrac{1}{2}$", "‖": r"$\|$",
    "α*": r"$\alpha^*$", "δF": r"$\delta F$", "ν": r"$\nu$", "t½": "$t_{1/2}$", "“": "``", "”": "''",
    **{f"{letter}{chr(0x2080 + digit)}": f"${letter}_{digit}$" for letter in "fhtw" for digit in range(10)},
}  # fmt: skip


class Verdicts(list[Verdict]):
    """A list of `Verdict`, in the order of experiments and predictions.

    It can do all that a list can; a slice is again a `Verdicts`.
    """

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice, /) -> Verdicts: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> Verdict | Verdicts:
        return Verdicts(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)

    def to_dataframe(self) -> pd.DataFrame:
        """Return one row a verdict: its fields that are one value, then what was used.

        ``range`` becomes range_variable, range_low and range_high; ``excluded`` the number of networks left out. The
        column ``outcome`` tells "undecided" from "no prediction"; in ``verdict`` both are "inconclusive".
        """
        import pandas as pd

        rows = []
        for v in self:
            row: dict[str, Any] = {**v.to_json(), "outcome": v.outcome_in_words}
            row = {name: row[name] for name in _FIRST} | {k: x for k, x in row.items() if k not in _FIRST}
            row |= {f"range_{key}": v.range.get(key) for key in ("variable", "low", "high")}
            row |= {"verdict": str(v.verdict), "form": v.form.value, "n_excluded": sum(v.excluded.values())}
            rows.append({name: value for name, value in row.items() if name not in _NOT_A_COLUMN})
        return pd.DataFrame(rows)

    def to_latex(self) -> str:
        r"""Return a table for an article (LaTeX; needs ``\usepackage{booktabs}``): the laws that were measured.

        Measured powers are given with the half-width of their 95 % interval.
        """
        lines = [
            r"\begin{tabular}{llllrrl}",
            r"\toprule",
            " & ".join(name.capitalize() for name in _COLUMNS) + r" \\",
            r"\midrule",
        ]
        for v in self._measured():
            _, _, _, _, predicted, measured, outcome = _cells(v)
            cells = [*map(_latex, _cells(v)[:3]), _compared_in_latex(v)]
            cells += [_formula(predicted), _formula(measured), _latex(outcome)]
            lines.append(" & ".join(cells) + r" \\")
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])

    def summary(self) -> str:
        """Say in text how many verdicts came out how, then show each law that was measured on a line.

        Where nothing was decided the line ends with the reason, in a few words.
        """
        rows = [(*_cells(v), short_reason(v)) for v in self._measured()]
        text = [self._counts()]
        if rows:
            heading = (*_COLUMNS, _REASON if any(row[-1] for row in rows) else "")
            lengths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
            text += ["  ".join(map(str.ljust, row, lengths)).rstrip() for row in (heading, *rows)]
        unmeasured = len(self) - len(rows)
        if unmeasured:
            text.append(f"Not measured with these data: {unmeasured} of {len(self)}.")
        return "\n".join(text)

    def __repr__(self) -> str:
        return f"<{self._counts()}>"

    def _repr_html_(self) -> str:
        rows = [(*_cells(v), short_reason(v)) for v in self._measured()]
        return html.table(rows, (*_COLUMNS, _REASON), self._counts())

    def _counts(self) -> str:
        counts = Counter(v.outcome_in_words for v in self)
        outcomes = ", ".join(f"{count} {words}" for words, count in counts.most_common())
        return f"{len(self)} verdict{'' if len(self) == 1 else 's'}{': ' if outcomes else ''}{outcomes}"

    def _measured(self) -> list[Verdict]:
        return [v for v in self if v.estimate is not None]


def _cells(v: Verdict) -> tuple[str, ...]:
    """Return what stands in the columns; the regime has one of its own, and is not said in the title again."""
    title = (v.title or v.claim).removesuffix(f", {v.regime} regime")
    compared = v.compared_is_the or "–"
    return v.experiment, title, v.regime, compared, predicted_text(v), v.measured_in_words, v.outcome_in_words


def _compared_in_latex(v: Verdict) -> str:
    before, _, variable = v.compared_is_the.rpartition("power of ")
    return f"power of ${variable}$" if not before and variable in VARIABLES.values() else _latex(v.compared_is_the)


def _formula(text: str) -> str:
    """Return a number, exact or with what it may be off by, as a formula; other text as text."""
    if re.fullmatch(r"−?[\d./]+(?: ± [\d.]+)?", text):
        return f"${text.replace('−', '-').replace('±', chr(92) + 'pm')}$"
    return _latex(text)


def _latex(text: str) -> str:
    """Return a text with what LaTeX would read as a command, or has no letter for, written as LaTeX needs it."""
    longest_first = sorted(_LATEX, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda match: _LATEX[match.group()], text)
