"""HTML by which objects show themselves in notebooks: escaped text in tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import escape


def table(rows: Iterable[Sequence[object]], heading: Sequence[object] = (), caption: str = "") -> str:
    """Return a table; cells and caption are texts, and formulas as ``lazyrich.mathematics.mathml`` makes them.

    Examples
    --------
    >>> table([["A < 1", 2]])
    '<table><tr><td>A &lt; 1</td><td>2</td></tr></table>'
    """
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = _line(heading, "th") if heading else ""
    return f"<table>{title}{head}{''.join(_line(row, 'td') for row in rows)}</table>"


def _line(cells: Sequence[object], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
