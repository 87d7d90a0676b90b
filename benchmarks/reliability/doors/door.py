"""A door: what is drawn for it, what it is sent into, and the command that meets it as a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

#: sends an input in; returns how it was understood, where there are several ways
Enter = Callable[[Any], str | None]


@dataclass(frozen=True)
class Door:
    """``inputs`` are drawn; ``prepare`` returns what they are sent into, given a folder for its files.

    ``as_command`` writes an input's files into a folder (beside those of `nonsense.make_files`) and returns the words
    after ``lazyrich`` that read them. ``weight`` is the door's share of all inputs.
    """

    inputs: st.SearchStrategy[Any]
    prepare: Callable[[Path], Enter]
    as_command: Callable[[Any, Path], tuple[str, ...]]
    weight: int


TEXTS = st.text(max_size=30)
ODD_NUMBERS = st.one_of(
    st.integers(-3, 300), st.integers(), st.floats(), st.sampled_from([10**40, -(10**19), 2**63, 10**4200, 1e300, 0.0])
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), ODD_NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
