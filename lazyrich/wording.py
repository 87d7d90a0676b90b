"""Small parts of the sentences that people read."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: a word, or the article; not a symbol such as h or m·h, which keep their case
_FIRST_WORD = re.compile(r"(?:[a-z]{2,}|a(?= [a-z]))(?![\w·^_(])")
#: symbols that are spelled out
_SYMBOLS = ("alpha", "delta ", "t1 ", "a(")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    Examples
    --------
    >>> counted(1, "seed"), counted(1200, "network")
    ('1 seed', '1,200 networks')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def are(count: int) -> str:
    """Return the verb after a number of things.

    Examples
    --------
    >>> are(1), are(2)
    ('is', 'are')
    """
    return "is" if count == 1 else "are"


def sentence_case(text: str) -> str:
    """Return a clause with a capital letter at its start, if it starts with a word and not with a symbol.

    Examples
    --------
    >>> sentence_case("the power"), sentence_case("a power"), sentence_case("h·Var is 1"), sentence_case("alpha* at 1")
    ('The power', 'A power', 'h·Var is 1', 'alpha* at 1')
    """
    starts_with_word = _FIRST_WORD.match(text) and not text.startswith(_SYMBOLS)
    return f"{text[:1].upper()}{text[1:]}" if starts_with_word else text


def listed(items: Sequence[str]) -> str:
    """Return items as a sentence has them.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
