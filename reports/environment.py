"""How the templates of the reports are filled."""

from __future__ import annotations

from importlib import resources

import jinja2


def template_environment() -> jinja2.Environment:
    """Return what fills the templates: text is escaped in those of HTML, and a name that is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _template(name: str) -> str:
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")
