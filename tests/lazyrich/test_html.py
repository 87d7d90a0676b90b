"""Objects show themselves in notebooks: texts are escaped, formulas are not."""

from __future__ import annotations

from lazyrich import html
from lazyrich.mathematics import mathml
from theory import predictions


def test_texts_are_escaped_in_cells_headings_and_caption():
    shown = html.table([["<b>", 1]], ["a & b", ""], "A < 1")
    assert "<td>&lt;b&gt;</td><td>1</td>" in shown
    assert "<th>a &amp; b</th>" in shown
    assert "<caption>A &lt; 1</caption>" in shown


def test_a_formula_is_markup():
    assert html.table([[mathml("a < 1")]]).startswith("<table><tr><td><math xmlns=")


def test_a_prediction_shows_its_law_typeset():
    shown = next(p for p in predictions("relu", depth=3) if p.claim == "crossover")._repr_html_()
    assert shown.count("<math") == 2
    assert "$" not in shown
    assert "\\" not in shown
