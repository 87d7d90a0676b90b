"""A figure as a file of its own, black on white, and as a part of a page, whose colours follow the page's.

matplotlib writes the SVG; here it is changed as XML, element by element: ids get the figure's name in front, so that
many figures stand on one page, colours become CSS variables, and each point gets a transparent circle whose title tells
its values.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np

from fit.report.figures.drawing import Drawing
from fit.report.figures.style import RC, dark_colours

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_FONT = "DejaVu Sans, Verdana, system-ui, sans-serif"
_HOVER_RADIUS = 5  #: points (1/72 inch)
#: besides SVG
FORMATS = ("pdf", "png")
_DPI = 200


@dataclass(frozen=True)
class PagePart:
    """A figure as a part of a page: its SVG element, and the colours in it that a dark page changes."""

    svg: str
    colours: frozenset[str]


def save(drawing: Drawing, folder: Path, name: str, title: str = "", formats: Iterable[str] = ()) -> PagePart:
    """Write ``name``.svg, its values as ``name``.csv, and the other ``formats``; return the figure for a page.

    Parameters
    ----------
    title : str
        What the figure shows, in a sentence: read aloud, and shown when pointed at.
    formats : iterable of {"pdf", "png"}
    """
    with mpl.rc_context(RC):
        buffer = io.StringIO()
        drawing.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        for suffix in formats:
            metadata = {"CreationDate": None} if suffix == "pdf" else {"Software": None}
            drawing.figure.savefig(folder / f"{name}.{suffix}", metadata=metadata, facecolor="#ffffff", dpi=_DPI)
    root = ElementTree.fromstring(buffer.getvalue())
    _set_fonts(root)
    (folder / f"{name}.svg").write_text(_written(_on_white(root)), encoding="utf-8")
    if len(drawing.table):
        drawing.table.to_csv(folder / f"{name}.csv", index=False, float_format="%.8g")
    return _page_part(root, drawing, name, title or name)


def colour_variables(parts: Iterable[PagePart]) -> str:
    """Return the CSS declarations that give the figures of a page their colours in the dark."""
    used = sorted(set().union(*(part.colours for part in parts)))
    return " ".join(f"{_variable(colour)}: {dark_colours()[colour]};" for colour in used)


def _set_fonts(root: ElementTree.Element) -> None:
    for element in root.iter(f"{{{_SVG}}}text"):
        style = _declarations(element)
        if "font" in style:
            element.set("style", _joined(style | {"font": style["font"].replace("'DejaVu Sans'", _FONT)}))


def _on_white(root: ElementTree.Element) -> ElementTree.Element:
    page = copy.copy(root)
    page.insert(0, ElementTree.Element(f"{{{_SVG}}}rect", {"width": "100%", "height": "100%", "fill": "#ffffff"}))
    return page


def _page_part(root: ElementTree.Element, drawing: Drawing, name: str, title: str) -> PagePart:
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    colours: set[str] = set()
    for element in root.iter():
        _prefix_ids(element, name)
        style = _declarations(element)
        changed = {key: value for key, value in style.items() if value in dark_colours()}
        if changed:
            colours.update(changed.values())
            element.set("style", _joined(style | {k: f"var({_variable(v)}, {v})" for k, v in changed.items()}))
    root.set("role", "img")
    heading = ElementTree.Element(f"{{{_SVG}}}title")
    heading.text = title
    root.insert(0, heading)
    if drawing.notes:
        root.append(_hover(drawing))
    return PagePart(_written(root), frozenset(colours))


def _prefix_ids(element: ElementTree.Element, name: str) -> None:
    """Put ``name`` before an element's id and before the ids that it refers to."""
    for key, value in element.attrib.items():
        if key == "id":
            element.set(key, f"{name}-{value}")
        elif key.endswith("href") and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif value.startswith("url(#"):
            element.set(key, f"url(#{name}-{value.removeprefix('url(#')}")


def _hover(drawing: Drawing) -> ElementTree.Element:
    """Transparent circles with titles, in the coordinates of the SVG: points (1/72 inch) from the upper left."""
    group = ElementTree.Element(f"{{{_SVG}}}g", {"class": "hover", "fill": "transparent"})
    scale = 72 / drawing.figure.dpi
    height = drawing.figure.get_figheight() * 72
    centres = drawing.axes.transData.transform([(x, y) for x, y, _ in drawing.notes]) * scale
    for (x, y), (_, _, text) in zip(centres, drawing.notes, strict=True):
        if np.isfinite(x) and np.isfinite(y):
            attributes = {"cx": f"{x:.1f}", "cy": f"{height - y:.1f}", "r": str(_HOVER_RADIUS)}
            circle = ElementTree.SubElement(group, f"{{{_SVG}}}circle", attributes)
            ElementTree.SubElement(circle, f"{{{_SVG}}}title").text = text
    return group


def _declarations(element: ElementTree.Element) -> dict[str, str]:
    """CSS declarations of an element's ``style`` attribute: property -> value."""
    parts = (declaration.partition(":") for declaration in element.get("style", "").split(";"))
    return {key.strip(): value.strip() for key, colon, value in parts if colon}


def _joined(style: dict[str, str]) -> str:
    return "; ".join(f"{key}: {value}" for key, value in style.items())


def _variable(colour: str) -> str:
    return f"--c{colour.removeprefix('#')}"


def _written(root: ElementTree.Element) -> str:
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
