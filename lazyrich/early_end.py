"""What ends ``python -m PACKAGE`` while its imports still go on, before a command's boundary is there."""

from __future__ import annotations

import contextlib
import os
import sys
from types import TracebackType

from lazyrich import exit_codes
from lazyrich.scarcity import scarcity

#: bytes of addresses; with less, libraries of linear algebra end the process without a word of ours
_LEAST_MEMORY = 2**29


def install() -> None:
    """Let an interruption, or a system without memory, end imports in a sentence, as it ends a command.

    Only where Python was told ``-m``, and has not come to the command yet: scripts that import are left alone.
    """
    if sys.argv[:1] == ["-m"]:
        sys.excepthook = _end
        end_without_memory()


def end_without_memory() -> None:
    """End the process where a limit (``ulimit -v``) leaves too little memory to begin."""
    with contextlib.suppress(ImportError):  # systems without such limits
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY and limit < _LEAST_MEMORY:
            allowed = f"{limit / 2**20:.0f} MiB are allowed (ulimit -v) and at least {_LEAST_MEMORY / 2**20:.0f} needed"
            with contextlib.suppress(OSError, ValueError):
                print(f"error: the system has not enough memory to begin: {allowed}.", file=sys.stderr, flush=True)
            os._exit(exit_codes.SYSTEM)


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    try:
        if issubclass(kind, KeyboardInterrupt):
            sentence, code = "interrupted: nothing was begun.", exit_codes.INTERRUPTED
        elif issubclass(kind, MemoryError) or scarcity(error) is not None:
            sentence, code = "error: the system has not enough memory, threads or files to begin.", exit_codes.SYSTEM
        else:
            sys.__excepthook__(kind, error, trace)
            return
        print(sentence, file=sys.stderr, flush=True)
    except (MemoryError, OSError):  # not even for the sentence
        code = exit_codes.SYSTEM
    os._exit(code)
