"""The one boundary of all commands: whatever ends one ends it in a sentence and one of the `exit_codes`."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import platform
import shlex
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from lazyrich import exit_codes
from lazyrich.early_end import end_without_memory
from lazyrich.errors import ExpectedError
from lazyrich.failed_imports import failed_import
from lazyrich.output import guarded_output
from lazyrich.scarcity import scarcity
from lazyrich.texts import one_line

_INTERRUPTED = "interrupted: what was finished is kept; run the same command again to go on."


#: bad usage, which typer tells in its own way; its class has no public name that is the same in all versions of typer
_UsageError: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


@contextmanager
def command(*, debug: bool = False) -> Iterator[None]:
    """Turn whatever ends a command into one sentence on stderr and its exit code.

    What is expected says its own sentence (`lazyrich.errors.ExpectedError`); an interruption, a system without memory
    or disk, and a fault of lazyrich have theirs. Boundaries inside of boundaries change nothing.
    With ``debug`` a fault shows where it arose.
    """
    try:
        with _termination_interrupts():
            yield
    except (typer.Exit, typer.Abort, _UsageError, SystemExit):
        raise  # ended already, or bad usage
    except ExpectedError as error:
        raise _ended(one_line(f"error: {error}"), error.exit_code) from error
    except KeyboardInterrupt as error:
        raise _ended(str(error) or _INTERRUPTED, exit_codes.INTERRUPTED) from error
    except MemoryError as error:
        raise _ended("error: no memory is left. Run fewer or smaller networks at once.", exit_codes.SYSTEM) from error
    except Exception as error:
        scarce = scarcity(error)
        if scarce is not None:
            raise _ended(
                f"error: the system refuses: {scarce}. Mend that and run it again.", exit_codes.SYSTEM
            ) from error
        failed = failed_import(error)
        if failed is not None and not debug:
            remedy = "Mend its settings, in the environment or in its files, or its installation."
            raise _ended(f"error: {failed}. {remedy}", exit_codes.SYSTEM) from error
        raise _ended(_fault(error, debug), exit_codes.FAULT) from error


def start(app: typer.Typer | Callable[[], typer.Typer], name: str) -> None:
    """Run an app in a process of its own: every command's way in. A function that returns the app imports it inside.

    What has been imported is there to stay: left out of garbage collections, the last one at exit too, which takes
    half a second otherwise. No window is opened, whatever ``MPLBACKEND`` says.
    """
    os.environ["MPLBACKEND"] = "agg"
    end_without_memory()
    with guarded_output() as output:
        code = _run(app, name)
    if code == 0 and output.error is not None:
        code = exit_codes.SYSTEM
    sys.exit(code)


def _run(app: typer.Typer | Callable[[], typer.Typer], name: str) -> int:
    try:
        with command(debug="--debug" in sys.argv):
            _check_working_directory()
            loaded = app if isinstance(app, typer.Typer) else app()
            gc.freeze()
            loaded(prog_name=name)
    except typer.Exit as ended:
        code = ended.exit_code
    except SystemExit as ended:  # what typer makes of an exit
        code = ended.code if isinstance(ended.code, int) else exit_codes.FAULT if ended.code else 0
    else:
        code = 0
    if code == exit_codes.INTERRUPTED:  # it ends already: a second Ctrl-C is no reason for a traceback
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return code


class Command(TyperCommand):
    """A command behind the boundary, with ``--version`` and ``--debug``: ``app.command(cls=Command)``."""

    def get_params(self, ctx: Any) -> list[Any]:
        """As of every command."""
        return [*super().get_params(ctx), *_common_options()]

    def invoke(self, ctx: Any) -> Any:
        """As of every command."""
        with command(debug=bool(ctx.meta.get(_DEBUG))):
            return super().invoke(ctx)


class Group(TyperGroup):
    """A group of commands with ``--version`` and ``--debug``: ``typer.Typer(cls=Group)``."""

    def get_params(self, ctx: Any) -> list[Any]:
        """As of every command."""
        return [*super().get_params(ctx), *_common_options()]

    def invoke(self, ctx: Any) -> Any:
        """As of every command."""
        with command(debug=bool(ctx.meta.get(_DEBUG))):
            return super().invoke(ctx)


def _show_version(ctx: typer.Context, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        print(f"lazyrich {_version()}")
        raise typer.Exit


def _note_debugging(ctx: typer.Context, value: bool) -> None:
    if value:
        ctx.meta[_DEBUG] = True  # shared by a group and the command in it


@functools.cache
def _common_options() -> tuple[Any, ...]:
    """Return the options of every command, as typer makes them of a function's parameters."""
    template = typer.Typer(add_completion=False)

    @template.command()
    def options(
        version: Annotated[
            bool,
            typer.Option(
                "--version", callback=_show_version, is_eager=True, expose_value=False,
                help="Print the version and stop.",
            ),
        ] = False,
        debug: Annotated[
            bool,
            typer.Option(
                "--debug", callback=_note_debugging, is_eager=True, expose_value=False,
                help="Show where a fault of lazyrich arose.",
            ),
        ] = False,
    ) -> None: ...  # fmt: skip

    return tuple(typer.main.get_command(template).params)


_DEBUG = "lazyrich.debug"


def _version() -> str:
    try:
        return metadata.version("lazyrich")
    except metadata.PackageNotFoundError:  # a source tree that is not installed
        return "unknown"


def _ended(sentence: str, code: int) -> typer.Exit:
    with contextlib.suppress(OSError, ValueError):
        print(sentence, file=sys.stderr)
    return typer.Exit(code)


def _fault(error: BaseException, debug: bool) -> str:
    """Keep the report of a fault in a file, or show it; return the sentence about it."""
    name = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:200]
    report = "".join(traceback.format_exception(error))
    if debug:
        return f"{report}error: a fault of lazyrich ({name})."
    about = (
        f"lazyrich {_version()}, Python {platform.python_version()}, {platform.platform()}, {datetime.now(UTC):%F %T}"
    )
    try:
        descriptor, path = tempfile.mkstemp(prefix="lazyrich-fault-", suffix=".txt")
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"{about}\n{shlex.join(sys.argv)}\n\n{report}")
    except OSError:
        return f"error: a fault of lazyrich ({name}); --debug shows where it arose."
    return f"error: a fault of lazyrich ({name}); the report of it lies in {path}."


def _check_working_directory() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise _NoWorkingDirectoryError from None


class _NoWorkingDirectoryError(ExpectedError):
    def __str__(self) -> str:
        return "the folder that this command was started in is no longer there. Change to another one."


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: cleanly, by a KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
