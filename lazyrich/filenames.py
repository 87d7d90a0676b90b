"""Names and paths that users give, as files: a text becomes a file name in one way only, and a path is one that can be.

What a user wrote is never a path: experiments, formulas and presets become file names here.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from lazyrich.errors import InputError

_LONGEST_NAME = 60  # characters
_LONGEST_BYTES = 240  # file systems take 255, an ending included
_LONGEST_PATH = 4000  # characters; what Linux takes, less the names inside
_STORE = Path(".lazyrich", "root.json")  # what the folder of a store has in it


def file_name(text: str, *, longest: int = _LONGEST_NAME, default: str = "unnamed") -> str:
    """Return a text as part of a file name: letters, digits, ``_`` and ``.`` inside are kept, the rest becomes ``-``.

    Examples
    --------
    >>> file_name("z*sigmoid(1.702*z)")
    'z-sigmoid-1.702-z'
    >>> file_name("../../etc/passwd"), file_name("größe"), file_name("[/red]"), file_name("/")
    ('etc-passwd', 'größe', 'red', 'unnamed')
    """
    composed = unicodedata.normalize("NFC", text)
    letters = "".join(c if c.isalnum() or c in "_." else " " for c in composed)
    # dots only inside of words: neither hidden files nor ".."
    words = [word.strip(".") for word in letters.split()]
    return _cut("-".join(word for word in words if word), longest).strip("-.") or default


def _cut(name: str, longest: int) -> str:
    return name[:longest].encode()[:_LONGEST_BYTES].decode(errors="ignore")


def file_names(texts: Iterable[str], *, longest: int = _LONGEST_NAME, taken: Iterable[str] = ()) -> dict[str, str]:
    """Return each text's file name, no two alike, also where capital and small letters are one (macOS).

    None of them is one of those ``taken``.

    Examples
    --------
    >>> file_names(["a b", "a/b", "A-B", "c"])
    {'a b': 'a-b', 'a/b': 'a-b-2', 'A-B': 'A-B-3', 'c': 'c'}
    """
    names: dict[str, str] = {}
    used = {name.casefold() for name in taken}
    for text in dict.fromkeys(texts):
        name, number = file_name(text, longest=longest), 1
        candidate = name
        while candidate.casefold() in used:
            number += 1
            ending = f"-{number}"
            candidate = _cut(name, min(longest, _LONGEST_BYTES) - len(ending)) + ending
        used.add(candidate.casefold())
        names[text] = candidate
    return names


def check_path(field: str, path: str | Path) -> Path:
    """Return a path that a file system could take.

    Raises
    ------
    InputError
        If it is empty, holds a NUL, is longer than any system takes, or begins with a ``~`` that no shell replaced.
    """
    text = os.fspath(path)
    remedy = "Give the path of a file or folder"
    if not str(text).strip() or (isinstance(path, str) and not text):
        raise InputError(field, text, "is empty", remedy)
    if "\0" in text:
        raise InputError(field, text, "has a NUL in it, which no path may have", remedy)
    if len(text) > _LONGEST_PATH or any(len(os.fsencode(part)) > 255 for part in Path(text).parts):
        raise InputError(field, text, "is longer than a path may be", "Give a shorter one")
    if text == "~" or text.startswith("~/"):
        raise InputError(field, text, "begins with ~, which only a shell replaces", "Write the folder out")
    return Path(text)


def check_output_folder(field: str, path: str | Path) -> Path:
    """Return the path of a folder that files are to be written into; it need not be there yet.

    Raises
    ------
    InputError
        If it can't be a path, is a URL, the root of the file system, a file, or inside of a store.
    """
    checked = check_path(field, path)
    scheme, separator, _ = str(path).partition(":/")
    if separator and scheme.isalnum() and len(scheme) > 1:
        raise InputError(field, str(path), "is a URL, and reports are written into folders", "Give a folder")
    try:
        if real_path(checked) == Path(real_path(checked).anchor):
            raise InputError(field, str(path), "is the root of the file system", "Give a folder below it")
        lowest = next(folder for folder in (checked, *checked.parents, Path()) if folder.exists())
        if not lowest.is_dir():
            raise InputError(field, str(path), f"{lowest} is no folder", "Give another one")
    except OSError as error:
        raise InputError(field, str(path), f"can't be used ({error.strerror})", "Give another folder") from None
    check_outside_stores(field, checked)
    return checked


def real_path(path: Path) -> Path:
    """Return the absolute path with links followed, as far as they lead anywhere: one in a circle stays a link."""
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError at circles, before Python 3.13


def check_outside_stores(field: str, path: Path) -> None:
    """Refuse a path to write to that lies inside of a store, links followed: only tasks' results are written there.

    Raises
    ------
    InputError
        Naming the store.
    """
    real = real_path(path)
    for folder in (real, *real.parents):
        if (folder / _STORE).exists():
            raise InputError(field, str(path), f"it is inside of the store {folder}", "Give a path beside the store")
