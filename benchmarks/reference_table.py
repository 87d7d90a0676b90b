"""The table of reports/reference/README.md: the article's claims and the open points, as the kept runs measured them.

Every number and every word in it comes from a verdicts.csv beside it, or is measured here from the kept netCDF files.
What was concluded by reading them is in points.toml, each with the count of verdicts that it was written about: where a
run made anew says something else, `write_table` fails with the name of the point, and the conclusion has to be thought
over again.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.reference_measures import MEASURES, Measured

FOLDER = Path(__file__).parent.parent / "reports" / "reference"
VERDICTS = "verdicts.csv"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->"


@dataclass(frozen=True)
class Point:
    """A claim or an open point: where it is measured, and what the kept runs were concluded to say."""

    title: str
    section: str
    conclusion: str
    presets: tuple[str, ...] = ()
    claim: str = ""
    regime: str = ""
    variable: str = ""
    experiment: str = ".*"
    measure: str = ""  #: a function of `benchmarks.reference_measures`, for what is no law's verdict
    tally: Mapping[str, int] | None = None  #: word -> verdicts, of which the conclusion speaks; None: whatever they are

    def verdicts(self, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield preset and verdict, in the order of the runs; what could not be measured at all is left out."""
        for preset in self.presets:
            for row in read_verdicts(folder / preset / VERDICTS):
                same = all(
                    not wanted or row[name] == wanted
                    for name, wanted in (("claim", self.claim), ("regime", self.regime), ("variable", self.variable))
                )
                if same and re.fullmatch(self.experiment, row["experiment"]) and row["estimate"] is not None:
                    yield preset, row


def read_verdicts(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table of verdicts: numbers as floats, what is empty as None; none if there is no file."""
    if not path.exists():
        return []
    table = pd.read_csv(path, dtype={"predicted": str, "experiment": str})
    return [{name: None if pd.isna(v) else v for name, v in row.items()} for row in table.to_dict("records")]


def points(folder: Path = FOLDER) -> list[Point]:
    """Read points.toml."""
    with (folder / "points.toml").open("rb") as file:
        return [Point(**{**one, "presets": tuple(one.get("presets", ()))}) for one in tomllib.load(file)["point"]]


def table(folder: Path = FOLDER) -> str:
    """Return the sections, in Markdown.

    Raises
    ------
    ValueError
        If the verdicts are not those that a conclusion was written about.
    """
    lines: list[str] = []
    section = ""
    for point in points(folder):
        if point.section != section:
            section = point.section
            lines += [f"## {section}", ""]
        lines += [f"### {point.title}", ""]
        lines += _measured(MEASURES[point.measure](folder)) if point.measure else _judged(point, folder)
        lines += [point.conclusion.strip(), ""]
    return "\n".join(lines)


def write_table(folder: Path = FOLDER) -> None:
    """Put the table into README.md, between its marks, if the folder has one."""
    page = folder / "README.md"
    if not (folder / "points.toml").exists() or not page.exists():
        return
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    page.write_text(before + BEGIN + "\n" + table(folder) + END + rest.split(END)[1], encoding="utf-8")


def _judged(point: Point, folder: Path) -> list[str]:
    rows = list(point.verdicts(folder))
    words = dict(Counter(row["verdict"] for _, row in rows))
    if point.tally is not None and words != dict(point.tally):
        raise ValueError(f"{point.title}: the verdicts are {words}, and the conclusion speaks of {dict(point.tally)}")
    lines = ["| preset | experiment | power of | predicted | measured | 95 % interval | verdict |", "|" + "---|" * 7]
    for preset, row in rows:
        low, high = row["ci_low"], row["ci_high"]
        cells = (
            preset,
            row["experiment"],
            "A" if row["variable"] == "root_h_alpha" else "h",
            (row["predicted"] or "–").replace("-", "−"),
            _number(row["estimate"]),
            "–" if low is None else f"[{_number(low)}, {_number(high)}]",
            row["verdict"],
        )
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _measured(rows: Sequence[Measured]) -> list[str]:
    lines = ["| preset | what | measured | 95 % interval |", "|" + "---|" * 4]
    for row in rows:
        interval = "–" if row.low is None or row.high is None else f"[{_number(row.low)}, {_number(row.high)}]"
        lines.append(f"| {row.preset} | {row.what} | {_number(row.value)} | {interval} |")
    return [*lines, ""]


def _number(value: float) -> str:
    shown = f"{value:z.3f}" if 5e-4 <= abs(value) < 1e4 or value == 0 else f"{value:.2e}"
    return re.sub(r"(?<!e)-", "−", shown)
