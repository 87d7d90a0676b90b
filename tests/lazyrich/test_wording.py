"""Numbers with their nouns."""

import pytest

from lazyrich.wording import counted, listed, sentence_case


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 networks"), (1, "1 network"), (2, "2 networks"), (1_234_567, "1,234,567 networks")]
)
def test_the_noun_is_in_the_plural_unless_it_is_one(count, text):
    assert counted(count, "network") == text


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        ("the interval is wide", "The interval is wide"),
        ("3 widths can't show it", "3 widths can't show it"),
        ("a power of h", "A power of h"),
        ("h·Var is 0.97", "h·Var is 0.97"),
        ("alpha* moves", "alpha* moves"),
        ("t1 is late", "t1 is late"),
        ("relu-L1 is alone", "Relu-L1 is alone"),
        ("", ""),
    ],
)
def test_symbols_keep_their_case_at_the_start_of_a_sentence(clause, sentence):
    assert sentence_case(clause) == sentence


@pytest.mark.parametrize(("items", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_items_are_listed_as_in_a_sentence(items, text):
    assert listed(items) == text
