"""Texts of users that are shown in a line: bounded, and of letters that every output has a place for."""

from __future__ import annotations

import unicodedata

#: control characters (line ends among them), halves of surrogate pairs, separators of lines and paragraphs
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
#: letters that turn the direction of those after them, and so the rest of the line
_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def one_line(text: str) -> str:
    """Return a text with what can't be printed in a line written as Python writes it.

    Examples
    --------
    >>> one_line("two\\nlines")
    'two\\\\nlines'
    """
    return "".join(ascii(letter)[1:-1] if _is_unprintable(letter) else letter for letter in text)


def unprintable(text: str, longest: int) -> str | None:
    """Return why a text can't be shown in a line, as a clause; None if it can.

    Examples
    --------
    >>> unprintable("größe [/red] $x$", 100)
    >>> unprintable("two\\nlines", 100)
    "has '\\\\n' in it, which can't be printed in a line"
    >>> unprintable("abc", 2)
    'has 3 letters, and 2 are the most'
    """
    if len(text) > longest:
        return f"has {len(text):,} letters, and {longest} are the most"
    bad = next((letter for letter in text if _is_unprintable(letter)), None)
    return None if bad is None else f"has {bad!a} in it, which can't be printed in a line"


def _is_unprintable(letter: str) -> bool:
    return unicodedata.category(letter) in _UNPRINTABLE or unicodedata.bidirectional(letter) in _TURNING
