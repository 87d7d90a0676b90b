"""The page of an audit: verdict first, tables, figures, method, provenance; and audit.json beside it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from fit.audit.result import Result, look, to_text, writable
from lazyrich.errors import InputError


def write(results: Sequence[Result], folder: Path, title: str = "Which regime is this network in?") -> Path:
    """Write ``audit.html``, ``audit.json`` and ``figures/*.svg``; return the page's path.

    Raises
    ------
    InputError
        If the folder can't be written.
    """
    writable(folder)
    figures = {one.name: one.figures() for one in results}
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {
        "figures": lambda result: [(f.name, Markup(f.svg), f.caption) for f in figures[result.name]],
        "look": lambda cell: look(cell)[1],
    }
    # figures are drawn in one colour of ink: on a dark page it becomes light
    dark = 'svg [style*="#1b1f24"] { stroke: #e6edf3; } svg text { fill: #e6edf3 !important; }'
    page = environment.get_template("audit.html.j2").render(results=results, title=title, dark=Markup(dark))
    try:
        (folder / "audit.html").write_text(page, encoding="utf-8")
        (folder / "audit.json").write_text(to_text(results), encoding="utf-8")
        for drawn in figures.values():
            for figure in drawn:
                (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
    except OSError as error:
        raise InputError("out", str(folder), f"can't be written ({error.strerror})", "Give another folder") from None
    return folder / "audit.html"


def _template(name: str) -> str:
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")
