"""Texts of users in a line: nothing breaks it, nothing in it can't be printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazyrich.errors import InputError
from lazyrich.texts import one_line, unprintable


@given(st.text(st.characters(), max_size=20))
def test_whatever_a_user_wrote_is_one_line_that_any_file_takes(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()
    assert unprintable(line, 1000) is None
    assert (line == text) == (unprintable(text, 1000) is None)


@pytest.mark.parametrize("text", ["größe", "[/red]", "$x$", "a b", "日本", "\N{NO-BREAK SPACE}"])
def test_what_is_no_control_character_is_left_as_it_is(text):
    assert one_line(text) == text


def test_letters_that_turn_the_line_round_are_written_out():
    assert one_line("a\u202ecba\u2069") == r"a\u202ecba\u2069"
    assert unprintable("\u202e", 9) == r"has '\u202e' in it, which can't be printed in a line"


def test_a_refusal_is_one_line_whatever_its_field_is_called():
    error = InputError("a\nb", "c\nd", "it is\nbad", "Mend\u2028it")
    assert str(error) == r"a\nb = 'c\nd': it is\nbad. Mend\u2028it."
    assert error.field == "a\nb"
