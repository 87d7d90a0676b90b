"""What tables and figures of an audit are made of, and how numbers and verdicts are written in them."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


def signed(power: float | None) -> str:
    """Write a power with two digits after the point; a dash for what could not be measured."""
    return "–" if power is None or math.isnan(power) else f"{power:z.2f}".replace("-", "−")


def percent(share: float) -> str:
    """Write a share in per cent; a dash for what could not be measured."""
    if math.isnan(share):
        return "–"
    return "< −999 %" if share < -9.99 else f"{share:z.1%}".replace("-", "−").replace("%", " %")


def plain(value: float | None) -> float | None:
    """Return a number as JSON may hold it: None for what is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)
