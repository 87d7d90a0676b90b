"""Small JSON documents that bear their own checksum: one line for the value, one for its SHA-256."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_of(data: bytes) -> str:
    """Return the SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def dump_checked(value: Any) -> bytes:
    """Return the bytes of a value and its checksum.

    Examples
    --------
    >>> load_checked(dump_checked([1, 2]))
    [1, 2]
    """
    body = json.dumps(value)
    return f"{body}\n{digest_of(body.encode())}\n".encode()


def load_checked(data: bytes) -> Any | None:
    """Return the value; None if these bytes are not a value that bears its checksum.

    Examples
    --------
    >>> load_checked(dump_checked([1, 2]).replace(b"1", b"3")) is None
    True
    """
    lines = data.decode(errors="replace").split("\n")
    if len(lines) != 3 or lines[2] or digest_of(lines[0].encode()) != lines[1]:
        return None
    return load_json(lines[0])


def load_json(text: str | bytes) -> Any | None:
    """Return what JSON says; None if it is none, or nested more deeply than can be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
