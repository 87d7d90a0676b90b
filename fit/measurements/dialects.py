"""Tables as people write them: which separator, decimal sign and encoding a text file has; what was guessed is said."""

from __future__ import annotations

import csv
import gzip
import io
import re
import stat
import zlib
from collections import Counter
from pathlib import Path

import pandas as pd

from lazyrich.errors import InputError

SUFFIXES = (".csv", ".tsv", ".txt")
#: byte-order marks
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
#: bytes of text: a table of a million networks with thirty columns has about as many
_LARGEST = 2**29
#: columns of a table or variables of a file: parsers take minutes and gigabytes for millions of them
MOST_COLUMNS = 20_000
_MOST_LINES = 10**7
#: symbols of the articles as names of columns
_SYMBOLS = {"h": "width", "A": "root_h_alpha", "α": "alpha", "L": "depth"}
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", r"\s+": "spaces"}


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table, compressed or not, in any case."""
    return Path(path.name.lower().removesuffix(".gz")).suffix in SUFFIXES


def read_text_table(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table of text; lines that begin with # are comments.

    Returns
    -------
    table : pandas.DataFrame
        With the names of its columns in lower case and without spaces.
    guesses : tuple of str
        What is not as in a plain CSV file: clauses.

    Raises
    ------
    InputError
        If it is empty, too large, no text in UTF-8 or UTF-16, or two columns have one name.
    """
    table, guesses = read_columns(path)
    table, renaming = with_plain_names(table, path)
    return table, (*guesses, *renaming)


def read_columns(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table of text as `read_text_table` does, under the names that its columns have in the file."""
    content = _content(path)
    guesses: list[str] = []
    encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
    if encoding == "utf-16":
        guesses.append("the text is in UTF-16")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-32, UTF-16 without a mark, or what is no text
        raise InputError("store", str(path), "it is not text in UTF-8 or UTF-16", "Save it as CSV in UTF-8")
    _check_count(path, text.count("\n"), "lines", _MOST_LINES)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise InputError("store", str(path), "there is nothing in it", "Give a table with a line of column names")
    separator = next((s for s in "\t;," if s in lines[0]), r"\s+")
    # a row with more values than names is as slow as names are
    counts = (len(line.split()) if separator == r"\s+" else line.count(separator) + 1 for line in lines)
    check_columns(path, max(counts))
    _check_names(path, lines[0], separator)
    decimal = "."
    if separator != ",":
        guesses.append(f"columns are separated by {_SEPARATORS[separator]}")
        if any(re.search(r"(^|[\s;])[-+]?\d+,\d", line) for line in lines[1:]):
            decimal = ","
            guesses.append("the decimal sign is a comma")
    # comments are whole lines: a colour such as #faebdd is a value
    table = pd.read_csv(io.StringIO("\n".join(lines)), sep=separator, decimal=decimal, skipinitialspace=True)
    if not isinstance(table.index, pd.RangeIndex):
        problem = "a row has more values than the first line has names"
        raise InputError("store", str(path), problem, "Name each column in the first line")
    return table, tuple(guesses)


def _check_names(path: Path, head: str, separator: str) -> None:
    """Refuse a name that two columns have: pandas would give the second one another."""
    names = head.split() if separator == r"\s+" else next(csv.reader([head], delimiter=separator))
    twice = [name for name, count in Counter(name.strip() for name in names).items() if name and count > 1]
    if twice:
        raise InputError("store", str(path), f"two columns are called {twice[0]!r}", "Rename one")


def check_columns(path: Path, count: int, noun: str = "columns") -> None:
    """Refuse more columns of a table, or variables of a file, than any reader takes in seconds."""
    _check_count(path, count, noun, MOST_COLUMNS)


def _check_count(path: Path, count: int, noun: str, most: int) -> None:
    if count > most:
        remedy = "Give several tables" if noun == "lines" else f"Keep the {noun} that are needed"
        raise InputError("store", str(path), f"it has more than {most:,} {noun}", remedy)


def _content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked; pipes and devices, and what unpacks to more than any table, are refused."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError("store", str(path), "it is no file", "Give a table in a file")
    is_packed = path.name.lower().endswith(".gz")
    try:
        with gzip.open(path, "rb") if is_packed else path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError("store", str(path), f"it can't be unpacked ({error})", "Give the whole file") from None
    if len(content) > _LARGEST:
        problem = f"it has more than {_LARGEST / 2**20:.0f} MiB of text"
        raise InputError("store", str(path), problem, "Give a netCDF file, or several tables")
    return content


def with_plain_names(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with the names of its columns in lower case and without spaces, and which were changed: clauses.

    The articles' symbols h, A, α and L stand for width, root_h_alpha, alpha and depth where no column has these names.

    Raises
    ------
    InputError
        If it is empty, or two columns have one name.
    """
    if table.empty:
        raise InputError("store", str(path), "it has no rows", "Give one row per width, amplitude and seed")
    original = [str(column) for column in table.columns]
    names = ["_".join(column.split()).lower() for column in original]
    meant = [_SYMBOLS.get(column.strip(), "") for column in original]
    names = [symbol if symbol and symbol not in names else name for symbol, name in zip(meant, names, strict=True)]
    if len(set(names)) < len(names):
        repeated = sorted(old for old, new in zip(original, names, strict=True) if names.count(new) > 1)
        raise InputError(
            "store", str(path), f"the columns {', '.join(map(repr, repeated))} have the same name", "Rename one"
        )
    changes = ", ".join(f"{new} ({old!r})" for old, new in zip(original, names, strict=True) if old != new)
    return table.set_axis(names, axis=1), (f"columns are read as {changes}",) if changes else ()
