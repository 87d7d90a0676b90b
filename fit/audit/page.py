"""The page of an audit: verdicts first, tables, figures, method, provenance; and audit.json beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from markupsafe import Markup

from fit.audit.elements import FigureOnPage, Table, look
from lazyrich.errors import InputError
from lazyrich.filenames import check_output_folder
from reports.environment import template_environment

#: of audit.json: raised when a field changes its meaning or goes
SCHEMA_VERSION = 1


class Section(Protocol):
    """What a page shows of one answer; see `fit.audit.result.Result`."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def provenance(self) -> dict[str, Any]: ...
    def headline(self) -> str: ...
    def tables(self) -> Sequence[Table]: ...
    def figures(self) -> Sequence[FigureOnPage]: ...
    def method(self) -> Sequence[str]: ...
    def to_json(self) -> dict[str, Any]: ...


def write(sections: Sequence[Section], folder: Path, title: str = "Which regime is this network in?") -> Path:
    """Write ``audit.html``, ``audit.json`` and ``figures/*.svg``; return the page's path.

    Raises
    ------
    InputError
        If the folder can't be written.
    """
    writable(folder)
    figures = {section.name: section.figures() for section in sections}
    environment = template_environment()
    environment.globals |= {
        "figures": lambda section: [(f.name, Markup(f.svg), f.caption) for f in figures[section.name]],
        "look": lambda cell: look(cell)[1],
    }
    # figures are drawn in one colour of ink: on a dark page it becomes light
    dark = 'svg [style*="#1b1f24"] { stroke: #e6edf3; } svg text { fill: #e6edf3 !important; }'
    page = environment.get_template("audit.html.j2").render(results=sections, title=title, dark=Markup(dark))
    try:
        (folder / "audit.html").write_text(page, encoding="utf-8")
        text = json.dumps(content(sections), indent=2, allow_nan=False, ensure_ascii=False)
        (folder / "audit.json").write_text(text + "\n", encoding="utf-8")
        for drawn in figures.values():
            for figure in drawn:
                (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from None
    return folder / "audit.html"


def content(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what audit.json holds."""
    answers = {section.name: section.to_json() for section in sections}
    return {"schema_version": SCHEMA_VERSION, **answers, "provenance": sections[0].provenance}


def writable(folder: Path) -> Path:
    """Make the folder, or say why it can't be."""
    check_output_folder("out", folder)
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return folder


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder")
