"""Text in Markdown: what a user wrote is shown as it is, and opens no tag, formula, link, code or emphasis."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

# each where it would open something: our own sentences have "p < 0.01" and "A* = 3" in them
_OPENERS = re.compile(
    r"\\(?=[^\w\s])|`|\$|\||<(?=[A-Za-z/!?])|\](?=[(\[:])|\*(?=\S)|(?<!\w)_(?=\S)|^(?=\s*(?:[-+#>]|\d+[.)])\s)"
)


def as_text(value: Any) -> Any:
    """Return what a template prints: a text with a backslash before what Markdown would take for markup.

    What is no plain text, and `markupsafe.Markup`, is left as it is.

    Examples
    --------
    >>> print(as_text("<b> $x$ [a](b) **c** p < 0.01"))
    \\<b> \\$x\\$ [a\\](b) \\*\\*c\\** p < 0.01
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _OPENERS.sub(lambda match: f"\\{match.group()}", value)


def as_code(text: str) -> Markup:
    """Return a text as a span of code, whatever backticks it has."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return Markup(f"{fence}{space}{text}{space}{fence}")
