"""The documentation page is what the code derives today."""

from pathlib import Path

from theory.page import page


def test_the_page_is_up_to_date():
    written = (Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")
    assert written == page(), "run  python -m theory.page > docs/theory.md"
