"""What pydantic says of a campaign file, as the one sentence that a user gets."""

from __future__ import annotations

from pydantic import ValidationError

from lazyrich.errors import InputError
from simulate.campaign.dynamics import NAMES


def first_problem(error: ValidationError) -> InputError:
    """Return the first thing that is wrong, naming it as in ``experiment[1].widths``."""
    first = error.errors()[0]
    path = _dotted(tuple(part for part in first["loc"] if part not in NAMES))
    value = first.get("input")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        inner = cause.field if cause.field not in ("", "activation") else ""
        shown = cause.value if inner or cause.field else value
        return InputError(".".join(p for p in (path, inner) if p) or "campaign", shown, cause.problem, cause.remedy)
    match first["type"]:
        case "extra_forbidden":
            return InputError(path, value, "no such field", "Remove it, or look up its spelling in docs/campaign.md")
        case "missing":
            return InputError(path, None, "it is missing", "Add it")
        case "literal_error":
            return InputError(path, value, "is not supported", f"Use {first['ctx']['expected']}")
    problem = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return InputError(path, value, problem[0].lower() + problem[1:], "Change it")


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
