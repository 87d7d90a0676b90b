"""What pydantic says of a document of the user's, as the one sentence that a user gets."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import ValidationError

from lazyrich.errors import InputError


def first_problem(
    error: ValidationError, *, document: str, unknown_field: str, prefix: str = "", tags: Collection[str] = ()
) -> InputError:
    """Return the first thing that is wrong, naming the field as in ``experiment[1].widths``.

    Parameters
    ----------
    document : str
        What is named where no field is to blame.
    unknown_field : str
        The remedy where there is no field of that name.
    prefix : str
        Where in its file the document stands, such as ``model[0]``.
    tags : collection of str
        Parts of pydantic's locations that name the alternative of a union, and no field.
    """
    first = error.errors(include_url=False)[0]
    path = _dotted(prefix, tuple(part for part in first["loc"] if part not in tags))
    value = first.get("input")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        inner = cause.field if cause.field not in ("", "activation") else ""
        shown = cause.value if inner or cause.field else value
        return InputError(".".join(p for p in (path, inner) if p) or document, shown, cause.problem, cause.remedy)
    match first["type"]:
        case "extra_forbidden":
            return InputError(path, value, "no such field", unknown_field)
        case "missing":
            return InputError(path, None, "it has no default", "Add it")
        case "literal_error":
            return InputError(path, value, "is not supported", f"Use {first['ctx']['expected']}")
    problem = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return InputError(path or document, value, problem[0].lower() + problem[1:], "Change it")


def _dotted(prefix: str, location: tuple[int | str, ...]) -> str:
    text = prefix
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text
