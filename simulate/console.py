"""How the commands that simulate talk and end: progress on a terminal, and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

import theory.console
from simulate.campaign import Task
from simulate.runner import Interrupted, Outcome, termination_interrupts
from simulate.runner import Progress as RunProgress
from simulate.store import StoreError

EXIT_NUMERICS = 3
EXIT_STORAGE = 5


@contextmanager
def command() -> Iterator[None]:
    """Like `theory.console.command`; a failing storage ends with exit code 5, an interrupted run says what it drops."""
    with theory.console.command(), termination_interrupts():
        try:
            yield
        except Interrupted as error:
            print(_interruption(error.dropped), file=sys.stderr)
            raise typer.Exit(theory.console.EXIT_INTERRUPTED) from error
        except StoreError as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(EXIT_STORAGE) from error


def named(task: Task) -> str:
    """A task as a person calls it."""
    return f"{task.experiment}, h = {task.width}, seeds {task.seed_start}-{task.seed_stop - 1}"


def _interruption(dropped: tuple[Task, ...]) -> str:
    shown = "; ".join(named(task) for task in dropped[:8]) + ("; …" if len(dropped) > 8 else "")
    what = f"dropped {len(dropped)} tasks in flight ({shown})" if dropped else "no task was in flight"
    return f"interrupted: {what}; what was finished is kept. Run the same command again to go on."


@contextmanager
def progress_on(out: Console) -> Iterator[Callable[[RunProgress], None]]:
    """Yield a callback for `simulate.run` that shows networks finished and failed, and the time left.

    Without a terminal it prints a line for every tenth of the networks.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        console=out,
        disable=not out.is_terminal,
        transient=True,
    )
    told = 0.0
    with bar:
        row = bar.add_task("networks", total=None, note="")

        def show(now: RunProgress) -> None:
            nonlocal told
            left = "" if now.seconds_left is None else f", {duration(now.seconds_left)} left"
            at = "" if now.task is None else f" ({now.task.experiment}, h = {now.task.width})"
            bar.update(row, total=now.networks, completed=now.finished, note=f"{now.failed} not fitted{left}{at}")
            share = now.finished / now.networks
            if not out.is_terminal and (share >= told + 0.1 or now.finished == now.networks):
                told = share
                out.print(f"{now.finished} of {now.networks} networks, {now.failed} not fitted{left}")

        yield show


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def exit_code(outcome: Outcome) -> int:
    """3 if networks diverged, ran out of memory or of time, or took their workers with them; else 0."""
    return EXIT_NUMERICS if outcome.failed_numerics or outcome.lost else 0
