"""Where commands print. What a user wrote (names, formulas, paths) is printed as it is: no markup, no emoji."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console

from lazyrich.boundary import Command, Group, command, start

__all__ = ["Command", "Group", "command", "console", "print_json", "start"]

_NARROWEST = 20  #: columns


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Return a rich console that takes text as it is.

    Without a terminal it is plain, and as wide as the environment's ``COLUMNS``, or 80.
    """
    stream = sys.stderr if stderr else sys.stdout
    is_terminal = stream is not None and stream.isatty()
    width = None if is_terminal else _columns()
    return Console(stderr=stderr, quiet=quiet, highlight=False, markup=False, emoji=False, width=width)


def _columns() -> int:
    columns = os.environ.get("COLUMNS", "")
    return max(int(columns), _NARROWEST) if columns.isdecimal() and len(columns) < 6 else 80


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output; in letters that the output has."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    is_unicode = encoding.lower().replace("-", "").startswith("utf")
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=not is_unicode))
