"""What the commands of all packages share: where they print, and how they end."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from lazyrich.errors import InputError

EXIT_INPUT = 2
EXIT_INTERRUPTED = 130


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Return a rich console; without a terminal it is 80 columns wide and plain."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, quiet=quiet, highlight=False, width=None if stream.isatty() else 80)


def start(app: typer.Typer, name: str) -> None:
    """Run an app in a process of its own.

    What has been imported is there to stay: left out of garbage collections, the last one at exit too, which takes
    half a second otherwise.
    """
    gc.freeze()
    app(prog_name=name)


@contextmanager
def command() -> Iterator[None]:
    """Turn what a user can cause into one sentence on stderr and the documented exit code.

    A bug is left to travel on: Python prints its traceback and exits with 1.
    """
    try:
        yield
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_INPUT) from error
    except KeyboardInterrupt as error:
        print("interrupted: what was finished is kept; run the same command again to go on.", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED) from error
