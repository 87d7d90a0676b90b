"""Standard output and error that may be closed, full, cut off or without some letters: no command fails by them.

A reader that has gone (``| head``) wants no more, and the command goes on silently. An output that can't be written
(``> /dev/full``) is said once, on the other stream, and the command ends with 5.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class GuardedStream:
    """A text stream whose failures are kept (``error``) instead of raised; after one, nothing more is written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None
        self._gone = False

    def write(self, text: str) -> int:
        """Write, or take note that it fails."""
        if not self._gone:
            with self._failures_kept():
                return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or take note that it fails."""
        if not self._gone:
            with self._failures_kept():
                self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _failures_kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._gone = True
            if not isinstance(error, BrokenPipeError):
                self.error = error
            # what is still in the stream's buffer goes nowhere, now and when Python ends
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


@contextmanager
def guarded_output() -> Iterator[GuardedStream]:
    """Guard both standard streams of this process while a command runs; yield that of standard output."""
    _occupy_closed_descriptors()
    out, error = _guarded(sys.stdout, 1), _guarded(sys.stderr, 2)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, error  # type: ignore[assignment]
    try:
        yield out
    finally:
        out.flush()
        if out.error is not None:
            print(f"error: standard output can't be written ({out.error.strerror}).", file=error)
        error.flush()
        sys.stdout, sys.stderr = before


def _guarded(stream: TextIO | None, descriptor: int) -> GuardedStream:
    if stream is None:  # it was closed when Python started
        stream = open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:  # letters that the output lacks, and halves of letters in names of files
        reconfigure(errors="replace")
    return GuardedStream(stream)


def _occupy_closed_descriptors() -> None:
    """Put the null device where a standard stream is closed: else the next file that is opened takes its place."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
