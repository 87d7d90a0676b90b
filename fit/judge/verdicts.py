"""The verdicts of one assessment: a list that a notebook, a table and an article can show."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from fit.judge.verdict import VARIABLES, Verdict
from lazyrich import html
from lazyrich.numbers import power

if TYPE_CHECKING:
    import pandas as pd

#: fields of a verdict that are tables of their own, or of no use in one
_NOT_A_COLUMN = ("range", "excluded", "sensitivity", "goodness", "rivals", "between_draws", "schema_version")
#: fields in the order of the columns of `Verdicts.to_dataframe` that come first
_FIRST = (
    "experiment", "claim", "title", "regime", "variable", "predicted", "predicted_value", "estimate", "ci_low",
    "ci_high", "standard_error", "p_value", "margin", "verdict", "outcome", "reason",
)  # fmt: skip
_COLUMNS = ("experiment", "law", "regime", "power of", "predicted", "measured", "outcome")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "–": "--", "±": r"$\pm$", "√": r"$\surd$",
    "α": r"$\alpha$", "Θ": r"$\Theta$", "Δ": r"$\Delta$", "δ": r"$\delta$", "σ": r"$\sigma$", "²": r"$^2$",
    "∞": r"$\infty$", "≤": r"$\le$", "≥": r"$\ge$", "·": r"$\cdot$", "½": r"$\tfrac{1}{2}$", "‖": r"$\|$",
    "α*": r"$\alpha^*$", "“": "``", "”": "''",
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
            r"\begin{tabular}{lllllll}",
            r"\toprule",
            " & ".join(name.capitalize() for name in _COLUMNS) + r" \\",
            r"\midrule",
        ]
        for row in self._rows():
            experiment, law, regime, variable, predicted, measured, outcome = map(_latex, row)
            lines.append(" & ".join((experiment, law, regime, f"${variable}$", predicted, measured, outcome)) + r" \\")
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])

    def summary(self) -> str:
        """Say in text how many verdicts came out how, then show each law that was measured on a line."""
        rows = self._rows()
        text = [self._counts()]
        if rows:
            lengths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
            text += ["  ".join(map(str.ljust, row, lengths)).rstrip() for row in (_COLUMNS, *rows)]
        unmeasured = len(self) - len(rows)
        if unmeasured:
            text.append(f"Not measured with these data: {unmeasured} of {len(self)}.")
        return "\n".join(text)

    def __repr__(self) -> str:
        return f"<{self._counts()}>"

    def _repr_html_(self) -> str:
        return html.table(self._rows(), _COLUMNS, self._counts())

    def _counts(self) -> str:
        counts = Counter(v.outcome_in_words for v in self)
        outcomes = ", ".join(f"{count} {words}" for words, count in counts.most_common())
        return f"{len(self)} verdict{'' if len(self) == 1 else 's'}{': ' if outcomes else ''}{outcomes}"

    def _rows(self) -> list[tuple[str, ...]]:
        """Return the cells of each verdict with an estimate."""
        return [
            (v.experiment, v.title or v.claim, v.regime, VARIABLES.get(v.variable, v.variable),
             power(v.predicted), v.measured_in_words, v.outcome_in_words)
            for v in self
            if v.estimate is not None
        ]  # fmt: skip


def _latex(text: str) -> str:
    """Return a text with what LaTeX would read as a command, or has no letter for, written as LaTeX needs it."""
    longest_first = sorted(_LATEX, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda match: _LATEX[match.group()], text)
