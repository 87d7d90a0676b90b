"""What users write is shown in Markdown as they wrote it; what sentences of ours have in them is left alone."""

import pytest
from markupsafe import Markup

from fit.report.markdown import as_code, as_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", r"\<script>"),
        ("</b>", r"\</b>"),
        ("$x$", r"\$x\$"),
        ("**bold**", r"\*\*bold\**"),
        ("_slanted_ and loss_of_mine", r"\_slanted_ and loss_of_mine"),
        ("`code`", r"\`code\`"),
        ("a|b", r"a\|b"),
        ("[a](b)", r"[a\](b)"),
        ("# heading", r"\# heading"),
        ("1. item", r"\1. item"),
        ("p < 0.01 and A* = 3, h^(-1/2)", "p < 0.01 and A* = 3, h^(-1/2)"),
        ("[−1.5, −1.4]", "[−1.5, −1.4]"),
    ],
)
def test_markup_of_users_is_text(text, shown):
    assert as_text(text) == shown


def test_formulas_of_ours_stay_formulas():
    assert as_text(Markup("$a$")) == "$a$"
    assert as_text(0.5) == 0.5


@pytest.mark.parametrize(("text", "span"), [("z + 1", "`z + 1`"), ("a`b", "`` a`b ``")])
def test_code_ends_where_its_text_does(text, span):
    assert as_code(text) == span
