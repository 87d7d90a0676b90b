"""Documents that people write, read within bounds: texts and TOML."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

from lazyrich.errors import InputError
from lazyrich.filenames import check_path

_LARGEST = 2**24  #: bytes; a campaign of a thousand experiments has a tenth of it


def read_text(field: str, path: str | Path, remedy: str = "Give a text file") -> str:
    """Return the text of a file in UTF-8.

    Raises
    ------
    InputError
        About ``field``, if it can't be read, is no file, longer than any such document, or no text.
    """
    checked = check_path(field, path)
    try:
        # a pipe may never be written into, and has nothing left for the run that goes on
        if not stat.S_ISREG(checked.stat().st_mode) and not checked.is_dir():
            raise InputError(field, str(path), "is a pipe or a device, not a file", remedy)
        with checked.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(field, str(path), f"can't be read ({error.strerror})", remedy) from None
    if len(content) > _LARGEST:
        raise InputError(field, str(path), f"is longer than {_LARGEST / 2**20:.0f} MiB", remedy)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(field, str(path), "is not a text file", f"{remedy} in UTF-8") from None


def read_toml(field: str, path: str | Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises
    ------
    InputError
        About ``field``, if it can't be read or is not TOML.
    """
    return parse_toml(field, read_text(field, path, "Give a TOML file"), str(path))


def parse_toml(field: str, text: str, origin: str) -> dict[str, Any]:
    """Return the tables of a text in TOML that comes from ``origin``.

    Raises
    ------
    InputError
        About ``field``, with the line that is wrong; also of what nests too deeply and numbers of thousands of digits.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(field, origin, f"is not valid TOML ({reason})", "Correct the file") from None
