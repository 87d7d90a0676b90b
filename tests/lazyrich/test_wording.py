"""Numbers with their nouns."""

import pytest

from lazyrich.wording import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 networks"), (1, "1 network"), (2, "2 networks"), (1_234_567, "1,234,567 networks")]
)
def test_the_noun_is_in_the_plural_unless_it_is_one(count, text):
    assert counted(count, "network") == text
