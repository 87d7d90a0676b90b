"""How the commands that simulate talk and end: progress on a terminal, and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

import lazyrich.console
from simulate.campaign.campaign import Campaign
from simulate.planning.tasks import Task
from simulate.running.dry_run import Plan
from simulate.running.runner import Interrupted, Outcome, termination_interrupts
from simulate.running.runner import Progress as RunProgress
from simulate.store import StoreError

EXIT_NUMERICS = 3
EXIT_STORAGE = 5


@contextmanager
def command() -> Iterator[None]:
    """Like `lazyrich.console.command`; failing storage ends with exit code 5, an interrupted run says what it drops."""
    with lazyrich.console.command(), termination_interrupts():
        try:
            yield
        except Interrupted as error:
            print(_interruption(error.dropped), file=sys.stderr)
            raise typer.Exit(lazyrich.console.EXIT_INTERRUPTED) from error
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


class _TwoLines(Progress):
    """A bar, and under it a line of its own: beside the bar it would be cut where a terminal is 80 columns wide."""

    below = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        """See `rich.progress.Progress`."""
        yield from super().get_renderables()
        yield Text(self.below)


@contextmanager
def progress_on(out: Console) -> Iterator[Callable[[RunProgress], None]]:
    """Yield a callback for `simulate.run` that shows networks finished and failed, and the time left.

    Without a terminal it prints a line for every tenth of the networks.
    """
    bar = _TwoLines(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
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
            note = f"{now.failed} not fitted"
            note += "" if now.seconds_left is None else f", {duration(now.seconds_left)} left"
            at = "" if now.task is None else f"just done: {_where(now)}"
            bar.below = at
            bar.update(row, total=now.networks, completed=now.finished, note=note)
            share = now.finished / now.networks
            if not out.is_terminal and (share >= told + 0.1 or now.finished == now.networks):
                told = share
                line = f"{now.finished} of {now.networks} networks, {note}" + (at and f"; {at}")
                out.print(line, soft_wrap=True)

        yield show


def _where(now: RunProgress) -> str:
    """Which part of the grid the last task was."""
    assert now.task is not None
    span = "" if now.root_h_alpha is None else " to ".join(f"{a:.1g}" for a in dict.fromkeys(now.root_h_alpha))
    return f"{now.task.experiment}, h = {now.task.width}" + (f", A = {span}" if span else "")


def tell_plan(out: Console, campaign: Campaign, what: Plan) -> None:
    """Print what a campaign would take."""
    out.print(f"{campaign.name}: {what.networks:,} networks in {what.tasks} tasks")
    for e in campaign.experiment:
        axis = e.root_h_alphas(max(e.widths))
        out.print(
            f"  {e.name}: {e.size:,} networks, {e.activation}, L = {e.depth}, h = {min(e.widths)}..{max(e.widths)}, "
            f"A = {axis.min():.1g}..{axis.max():.1g}, n = {e.n_train}",
            markup=False,
            soft_wrap=True,
        )
    out.print(
        f"about {duration(what.seconds)} of computing with {what.workers} worker{'s' if what.workers > 1 else ''} on "
        "this machine, left to itself (within a factor of two, unless the rule is hard to fit), "
        f"up to {max(what.memory, 0.1):.1f} GiB for the networks of a worker, and 0.4 GiB for the worker itself",
        soft_wrap=True,
    )


def planned(campaign: Campaign, what: Plan) -> dict[str, Any]:
    """What a campaign would take, as plain JSON values."""
    return {
        "campaign": campaign.name,
        "networks": what.networks,
        "tasks": what.tasks,
        "workers": what.workers,
        "memory_gib_per_worker": round(what.memory, 3),
        "seconds": round(what.seconds, 1),
        "experiments": {e.name: e.size for e in campaign.experiment},
    }


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def exit_code(outcome: Outcome) -> int:
    """3 if networks diverged, ran out of memory or of time, or took their workers with them; else 0."""
    return EXIT_NUMERICS if outcome.failed_numerics or outcome.lost else 0
