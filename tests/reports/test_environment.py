"""How templates are filled: escaped where they are HTML, and never with a name that was not given."""

from pathlib import Path

import jinja2
import pytest

import reports
from reports.environment import template_environment


@pytest.fixture
def environment():
    filled = template_environment()
    texts = {"page.html.j2": "<p>{{ text }}</p>", "page.md.j2": "{{ text }}\n{% if text %}\n  - yes\n{% endif %}\n"}
    filled.loader = jinja2.DictLoader(texts)
    return filled


def test_what_a_user_wrote_is_text_in_html_and_itself_in_markdown(environment):
    assert environment.get_template("page.html.j2").render(text="<b>&") == "<p>&lt;b&gt;&amp;</p>"
    assert environment.get_template("page.md.j2").render(text="<b>&").startswith("<b>&\n")


def test_lines_of_statements_leave_no_line(environment):
    assert environment.get_template("page.md.j2").render(text="x") == "x\n  - yes\n"


def test_a_name_that_is_not_given_is_an_error(environment):
    with pytest.raises(jinja2.UndefinedError, match="text"):
        environment.get_template("page.html.j2").render()


def test_templates_are_those_of_the_package():
    text, *_ = template_environment().loader.get_source(template_environment(), "style.css.j2")
    assert text == Path(reports.__file__, "..", "templates", "style.css.j2").resolve().read_text(encoding="utf-8")
