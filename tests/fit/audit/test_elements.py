"""Numbers and verdicts as tables write them."""

import math

import pytest

from fit.audit.elements import look, number, percent, plain, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (128.96, "129"), (1234.5, "1234"), (-0.5, "−0.500"), (3e-9, "3e−09"), (0.0, "0"),
     (math.nan, "–"), (math.inf, "∞"), (None, "–")],
)  # fmt: skip
def test_numbers_are_written_with_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(-0.5, "−0.50"), (-1e-9, "0.00"), (1.0, "1.00"), (None, "–")])
def test_powers_are_written_with_two_digits(value, text):
    assert signed(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.1234, "12.3 %"), (-0.5, "−50.0 %"), (-20.0, "< −999 %"), (math.nan, "–")]
)
def test_shares_are_written_in_per_cent(share, text):
    assert percent(share) == text


def test_json_holds_what_is_finite():
    assert [plain(value) for value in (0.5, math.nan, math.inf, None)] == [0.5, None, None, None]


def test_verdicts_have_a_style_and_other_cells_have_none():
    assert look("lazy") != ("", "")
    assert look("layers.0") == ("", "")
