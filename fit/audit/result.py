"""What all results of an audit can do: be printed, shown in a notebook, written as a page and as JSON."""

from __future__ import annotations

import io
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from lazyrich.errors import InputError
from lazyrich.filenames import check_output_folder

#: of audit.json: raised when a field changes its meaning or goes
SCHEMA_VERSION = 1
#: how verdicts look: (style in a terminal, class on a page)
_LOOKS = {
    "lazy": ("cyan", "consistent"),
    "learns features": ("green", "consistent"),
    "between": ("yellow", "inconclusive"),
    "not decided": ("yellow", "inconclusive"),
    "stable": ("green", "consistent"),
    "vanishes": ("red", "inconsistent"),
    "blows up": ("red", "inconsistent"),
    "transfers": ("green", "consistent"),
    "does not transfer": ("red", "inconsistent"),
}


@dataclass(frozen=True)
class Table:
    """A table of words and numbers, ready to be shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    brief: tuple[str, ...] = ()  #: the columns that a terminal shows; all, if empty


@dataclass(frozen=True)
class FigureOnPage:
    """A figure as SVG, with the sentence below it."""

    name: str
    svg: str
    caption: str


class Result(ABC):
    """One answer of an audit."""

    name: ClassVar[str]  #: in audit.json and in the page's links
    title: ClassVar[str]
    provenance: dict[str, Any]

    @abstractmethod
    def headline(self) -> str:
        """Say in a sentence or two what came out; the verdict first."""

    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """Return the tables; the first is what a terminal shows."""

    @abstractmethod
    def figures(self) -> Sequence[FigureOnPage]:
        """Draw the figures."""

    @abstractmethod
    def method(self) -> Sequence[str]:
        """Say how it was measured and decided, a paragraph each."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return plain values: never NaN or infinity."""

    def __repr__(self) -> str:
        out = Console(file=io.StringIO(), width=110, highlight=False, no_color=True)
        self.tell(out)
        return out.file.getvalue()  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self.headline())}</b></p>"]
        for table in self.tables()[:1]:
            head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
            body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        return "".join(parts)

    def tell(self, out: Console) -> None:
        """Print the headline and the first table."""
        out.print(Text(self.headline()))
        for table in self.tables()[:1]:
            shown = RichTable(box=None, pad_edge=False, padding=(0, 1, 0, 0))
            columns = [i for i, name in enumerate(table.columns) if not table.brief or name in table.brief]
            for i in columns:
                shown.add_column(Text(table.columns[i]), overflow="fold", justify="left" if i == 0 else "right")
            for row in table.rows:
                shown.add_row(*(Text(row[i], style=look(row[i])[0]) for i in columns))
            out.print(shown)

    def write(self, folder: Path | str) -> Path:
        """Write ``audit.html``, ``audit.json`` and the figures into a folder; return the page's path."""
        from fit.audit.page import write

        return write([self], Path(folder))


def look(cell: str) -> tuple[str, str]:
    """Return the style of a cell in a terminal and its class on a page; both empty for anything but a verdict."""
    return _LOOKS.get(cell, ("", ""))


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits; a dash for what could not be measured."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value != 0 and 1e-3 <= abs(value) < 1e5:
        digits = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return f"{value:z.{digits}f}".replace("-", "−")
    return f"{value:.{digits}g}".replace("-", "−")


def percent(share: float) -> str:
    """Write a share in per cent; a dash for what could not be measured."""
    if math.isnan(share):
        return "–"
    return "< −999 %" if share < -9.99 else f"{share:z.1%}".replace("-", "−").replace("%", " %")


def plain(value: float | None) -> float | None:
    """Return a number as JSON may hold it: None for what is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def to_text(results: Sequence[Result]) -> str:
    """Return audit.json."""
    content = {"schema_version": SCHEMA_VERSION} | {one.name: one.to_json() for one in results}
    content["provenance"] = results[0].provenance if results else {}
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def writable(folder: Path) -> Path:
    """Make the folder, or say why it can't be."""
    check_output_folder("out", folder)
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder") from None
    return folder
