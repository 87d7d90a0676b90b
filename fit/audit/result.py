"""What all results of an audit can do: be printed, shown in a notebook, written as a page and as JSON."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from markupsafe import escape
from rich.console import Console
from rich.table import Table as TerminalTable
from rich.text import Text

from fit.audit.elements import FigureOnPage, Table, look
from lazyrich.html import table


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
        text = io.StringIO()
        self.tell(Console(file=text, width=110, highlight=False, no_color=True))
        return text.getvalue()

    def _repr_html_(self) -> str:
        shown = self.tables()[0]
        return f"<p><b>{escape(self.headline())}</b></p>{table(shown.rows, shown.columns)}"

    def tell(self, out: Console) -> None:
        """Print the headline and the first table."""
        out.print(Text(self.headline()))
        shown = self.tables()[0]
        printed = TerminalTable(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        columns = [i for i, name in enumerate(shown.columns) if not shown.brief or name in shown.brief]
        for i in columns:
            printed.add_column(Text(shown.columns[i]), overflow="fold", justify="left" if i == 0 else "right")
        for row in shown.rows:
            printed.add_row(*(Text(row[i], style=look(row[i])[0]) for i in columns))
        out.print(printed)

    def write(self, folder: Path | str) -> Path:
        """Write ``audit.html``, ``audit.json`` and the figures into a folder; return the page's path."""
        from fit.audit.page import write

        return write([self], Path(folder))
