"""What a larger campaign would add to a store, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulate.campaign.campaign import Campaign
from simulate.campaign.experiment import Experiment
from simulate.planning.tasks import Task, campaign_tasks
from simulate.store.extend import check_grows
from simulate.store.locations import backend_for
from simulate.store.store import Store
from simulate.training.status import Status


@dataclass(frozen=True)
class Growth:
    """What is new in a campaign against a store.

    Attributes
    ----------
    networks : int
        How many are not in the store.
    finished : int
        How many of the store's are finished, and kept.
    new : mapping
        Experiment -> what is new in it: "widths 512, 1024", "5 seeds", "amplitudes 0.001".
    pending : tuple of Task
        What there is to train, whole tasks: a task that is finished in part counts.
    """

    networks: int
    finished: int
    new: Mapping[str, list[str]]
    pending: tuple[Task, ...]


def growth_of(path: str | Path, campaign: Campaign) -> Growth | None:
    """Compare a campaign with the store at ``path``, which it would extend; None if there is no store.

    Raises
    ------
    InputError
        If the campaign is not the store's own with more seeds, widths or amplitudes.
    """
    if backend_for(path).is_empty():
        return None
    store = Store.open(path)
    check_grows(store, campaign)
    finished = sum(n for counts in store.counts().values() for status, n in counts.items() if status != Status.PENDING)
    pairs = list(zip(store.campaign.experiment, campaign.experiment, strict=True))
    statuses = store.tree()

    def unfinished(task: Task) -> bool:
        earlier = store.campaign.find(task.experiment)
        later = campaign.find(task.experiment)
        if len(later.amplitudes) > len(earlier.amplitudes) or task.width not in earlier.widths:
            return True
        if task.seed_stop > earlier.seeds:
            return True
        status = statuses[task.experiment].to_dataset()["status"]
        row = status.isel(width=earlier.widths.index(task.width), seed=slice(task.seed_start, task.seed_stop))
        return bool((row == Status.PENDING).any())

    return Growth(
        networks=campaign.size - store.campaign.size,
        finished=finished,
        new={later.name: _new(earlier, later) for earlier, later in pairs},
        pending=tuple(task for task in campaign_tasks(campaign) if unfinished(task)),
    )


def _new(earlier: Experiment, later: Experiment) -> list[str]:
    """Return what an experiment has more than an earlier one: clauses."""
    clauses = []
    if widths := sorted(set(later.widths) - set(earlier.widths)):
        clauses.append(f"width{'s' if len(widths) > 1 else ''} {', '.join(map(str, widths))}")
    if amplitudes := sorted(set(later.amplitudes) - set(earlier.amplitudes)):
        shown = ", ".join(f"{a:.3g}" for a in amplitudes)
        clauses.append(f"{later.amplitude} {shown}")
    if more := later.seeds - earlier.seeds:
        clauses.append(f"{more} seed{'s' if more > 1 else ''} ({earlier.seeds} to {later.seeds - 1})")
    return clauses
