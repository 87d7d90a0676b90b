"""What the commands that simulate print: progress on a terminal, plans, counts, damage, comparisons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from lazyrich import exit_codes
from lazyrich.console import console, print_json
from lazyrich.numbers import short
from lazyrich.wording import counted
from simulate.campaign.campaign import Campaign, list_presets
from simulate.running.dry_run import Plan
from simulate.running.reproduce import Comparison
from simulate.running.runner import Progress as RunProgress
from simulate.running.runner import RunResult
from simulate.running.workers import ATTEMPTS
from simulate.store import Damage, Store
from simulate.store.growth import Growth
from simulate.training.status import Status

_MOST_LOST_SHOWN = 8
_LETTERS_OF_A_COMMIT = 12

Counts = Mapping[str, Mapping[Status, int]]


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
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=out,
        disable=not out.is_terminal,
        transient=True,
    )
    printed = 0.0  # the share of networks at which the last line was printed
    with bar:
        row = bar.add_task("networks", total=None, note="")

        def show(now: RunProgress) -> None:
            nonlocal printed
            note = f"{now.failed} not fitted"
            note += "" if now.seconds_left is None else f", {duration(now.seconds_left)} left"
            last = "" if now.task is None else f"just done: {_where(now)}"
            bar.below = last
            bar.update(row, total=now.networks, completed=now.finished, note=note)
            share = now.finished / now.networks
            if not out.is_terminal and (share >= printed + 0.1 or now.finished == now.networks):
                printed = share
                line = f"{now.finished} of {now.networks} networks, {note}" + (last and f"; {last}")
                out.print(line, soft_wrap=True)

        yield show


def _where(now: RunProgress) -> str:
    """Which part of the grid the last task was."""
    assert now.task is not None
    span = "" if now.root_h_alpha is None else " to ".join(short(a, 1) for a in dict.fromkeys(now.root_h_alpha))
    return f"{now.task.experiment}, h = {now.task.width}" + (f", A = {span}" if span else "")


def show_plan(campaign: Campaign, plan: Plan, growth: Growth | None = None, *, as_json: bool = False) -> None:
    """Print on standard output what a campaign would take, what is new in it, and which laws it can't decide."""
    undecidable = undecidable_laws(campaign)
    if as_json:
        print_json(plan_as_json(campaign, plan, growth, undecidable))
    else:
        print_plan(console(), campaign, plan, growth, undecidable)


def undecidable_laws(campaign: Campaign) -> dict[str, list[str]] | None:
    """Return which laws the campaign's grid can't decide, by what is missing; None where nothing judges laws.

    What judges them (`fit`) is found as an entry point: nothing here depends on it.
    """
    for judge in entry_points(group="lazyrich.foresight"):
        laws: dict[str, list[str]] = judge.load()(campaign)
        return laws
    return None


def print_plan(
    out: Console,
    campaign: Campaign,
    plan: Plan,
    growth: Growth | None = None,
    undecidable: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Print what a campaign would take, what of it is new in a store, and which laws its grid can't decide."""
    out.print(f"{campaign.name}: {counted(plan.networks, 'network')} in {counted(plan.tasks, 'task')}")
    for e in campaign.experiment:
        axis = e.root_h_alphas(max(e.widths))
        span = f"{short(axis.min(), 1)}..{short(axis.max(), 1)}"
        out.print(
            f"  {e.name}: {counted(e.size, 'network')}, {e.activation}, L = {e.depth}, "
            f"h = {min(e.widths)}..{max(e.widths)}, A = {span}, N = {e.n_train}",
            soft_wrap=True,
        )
    out.print(
        f"about {duration(plan.seconds)} of computing with {plan.workers} worker{'s' if plan.workers > 1 else ''} on "
        "this machine, left to itself (within a factor of two, unless the rule is hard to fit), "
        f"up to {max(plan.memory, 0.1):.1f} GiB for the networks of a worker, and 0.4 GiB for the worker itself",
        soft_wrap=True,
    )
    if growth is not None:
        _print_growth(out, growth)
    if undecidable is not None:
        _print_undecidable(out, undecidable)


def _print_growth(out: Console, growth: Growth) -> None:
    out.print(
        f"new in the store: {counted(growth.networks, 'network')}; {growth.finished:,} that are finished are kept"
    )
    for name, additions in growth.new.items():
        out.print(f"  {name}: {'; '.join(additions) if additions else 'nothing new'}", soft_wrap=True)


def _print_undecidable(out: Console, undecidable: Mapping[str, Sequence[str]]) -> None:
    if not undecidable:
        out.print("every law that theory claims here can be decided on this grid, noise permitting")
        return
    out.print("laws that this grid can't decide, whatever is measured on it:")
    for reason, laws in undecidable.items():
        out.print(Padding(Text(f"{reason}: {'; '.join(laws)}"), (0, 0, 0, 2)))


def plan_as_json(
    campaign: Campaign,
    plan: Plan,
    growth: Growth | None = None,
    undecidable: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """What a campaign would take, what of it is new, and which laws it can't decide, as plain JSON values."""
    new = {} if growth is None else {"new": {"networks": growth.networks, "experiments": growth.new}}
    undecided = {} if undecidable is None else {"undecidable": undecidable}
    return {
        "campaign": campaign.name,
        "networks": plan.networks,
        "tasks": plan.tasks,
        "workers": plan.workers,
        "memory_gib_per_worker": round(plan.memory, 3),
        "seconds": round(plan.seconds, 1),
        "experiments": {e.name: e.size for e in campaign.experiment},
        **new,
        **undecided,
    }


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def exit_code(result: RunResult) -> int:
    """Return the code with which a command ends that ran a campaign."""
    return exit_codes.NETWORKS if result.failed_numerics or result.lost else exit_codes.DONE


def print_presets(out: Console) -> None:
    """Print the campaigns that come with lazyrich."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("preset", no_wrap=True)
    table.add_column("networks", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for name in list_presets():
        campaign = Campaign.from_preset(name)
        table.add_row(name, f"{campaign.size:,}", campaign.description)
    out.print(table)
    out.print("What one would take: lazyrich report --preset NAME --dry-run")


def print_outcome(out: Console, store: str, campaign: Campaign, result: RunResult) -> None:
    """Print how the networks of a run ended."""
    total: Counter[Status] = Counter()
    for counts in result.counts.values():
        total.update(counts)
    out.print(f"{campaign.size} networks in {store}: {_counted(total)}")
    for task in result.lost[:_MOST_LOST_SHOWN]:
        out.print(f"{task.title}: its workers died {ATTEMPTS} times; it stays pending")
    if len(result.lost) > _MOST_LOST_SHOWN:
        out.print(f"and {len(result.lost) - _MOST_LOST_SHOWN} more tasks stay pending")


def print_status(out: Console, store: Store) -> None:
    """Print what made a store, how many of its networks ended how, and what they cost."""
    counts, cost, attributes = store.counts(), store.cost(), store.root.attributes
    versions, commit = attributes["versions"], str(attributes.get("commit") or "unknown")
    short_commit = commit[:_LETTERS_OF_A_COMMIT] + ("+dirty" if commit.endswith("+dirty") else "")
    out.print(f"campaign {store.campaign.name}: {counted(store.campaign.size, 'network')}", soft_wrap=True)
    out.print(
        f"  made with lazyrich {versions.get('lazyrich')}, torch {versions.get('torch')}, on {attributes['device']}, "
        f"commit {short_commit}",
        soft_wrap=True,
    )
    for name, of_experiment in counts.items():
        out.print(f"  {name}: {_counted(of_experiment)}", soft_wrap=True)
    out.print(
        f"  cost: {cost.gradient_evaluations:,} gradients, {cost.flops:.1e} operations, "
        f"{duration(cost.seconds)} of workers' time, in {counted(len(store.records()), 'run')}",
        soft_wrap=True,
    )


def print_damage(out: Console, damaged: Sequence[Damage]) -> None:
    """Print what is not as it was written, and whose results are lost by it."""
    for damage in damaged:
        lost = "" if damage.task is None else f" ({damage.task.title})"
        out.print(f"{damage.path} {damage.problem}{lost}", soft_wrap=True)
    out.print(f"{len(damaged)} damaged" if damaged else "everything is as it was written")


def print_comparisons(out: Console, comparisons: Sequence[Comparison]) -> None:
    """Print of each variable of a network how far it is from the stored one."""
    for c in comparisons:
        verdict = "agrees" if c.agrees else "differs"
        out.print(f"{c.name:22} {verdict}: {c.difference:.1e} (allowed {c.allowed:.1e})", soft_wrap=True)
    wrong = sum(not c.agrees for c in comparisons)
    out.print(f"{wrong} of {len(comparisons)} variables differ" if wrong else "the network is reproduced")


def counts_as_json(store: str, campaign: Campaign, counts: Counts) -> dict[str, Any]:
    """How many networks of each experiment ended how, as plain JSON values."""
    experiments = {
        name: {status.name.lower(): count for status, count in sorted(of_experiment.items())}
        for name, of_experiment in counts.items()
    }
    return {"store": store, "campaign": campaign.name, "networks": campaign.size, "experiments": experiments}


def _counted(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{count} {status.name.lower()}" for status, count in sorted(counts.items()))
