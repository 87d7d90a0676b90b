"""An exclusive lock on a folder: the operating system's where there is one, else a file that only one can create."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

LOCK_KEY = ".lazyrich/lock"


class HeldElsewhereError(Exception):
    """Another process holds the lock; the text says who, where that is known."""


@contextmanager
def file_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process.

    With ``fcntl`` the lock goes with the process, however that ends. Without it the lock is a file, created only if
    absent; a killed process leaves it, and `break_file_lock` removes it.

    Raises
    ------
    HeldElsewhereError
        At once, if another process holds it.
    OSError
        If the folder can't be locked.
    """
    with _flock(folder) if fcntl is not None else _exclusive_file(folder):
        yield


def break_file_lock(folder: Path) -> bool:
    """Remove a lock file; return whether there was one."""
    try:
        (folder / LOCK_KEY).unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def holder() -> bytes:
    """Return what a lock says of the process that holds it."""
    now = datetime.now(UTC).isoformat("T", "seconds")
    return json.dumps({"host": platform.node(), "process": os.getpid(), "since": now}).encode()


def describe_holder(lock: bytes) -> str:
    """Return in words what a lock says of its holder."""
    try:
        held = json.loads(lock)
        return f"process {held['process']} on {held['host']}, since {held['since']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "holder unknown"


@contextmanager
def _flock(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_NONBLOCK)  # a pipe in its place would be waited for
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise HeldElsewhereError from error
            raise
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _exclusive_file(folder: Path) -> Iterator[None]:
    path = folder / LOCK_KEY
    path.parent.mkdir(exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError as error:
        with contextlib.suppress(OSError):
            raise HeldElsewhereError(
                f" ({describe_holder(path.read_bytes())}; if it is dead: lazyrich simulate unlock {folder})"
            ) from error
        raise HeldElsewhereError from error
    with open(descriptor, "wb") as file:
        file.write(holder())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
