"""What a report without a store simulates: a campaign and the store beside the report, on this machine."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fit.report.campaigns import campaign_for, in_size_of_store, seeds_for

if TYPE_CHECKING:  # what simulates is imported where it is used: a report on a store does not wait for torch
    from simulate.campaign.campaign import Campaign


@dataclass(frozen=True)
class Simulation:
    """A campaign, the store that it is written to, and the processes and threads that compute it."""

    campaign: Campaign
    store: Path
    device: str
    workers: int | None  #: processes; None for as many as suit the machine
    threads: int

    def print_plan(self, *, as_json: bool) -> None:
        """Print what the campaign takes on this machine."""
        import simulate.console
        from simulate.running.dry_run import plan
        from simulate.running.runner import worker_count

        processes = worker_count(self.workers, self.device, self.threads)
        simulate.console.show_plan(self.campaign, plan(self.campaign, processes, self.device), as_json=as_json)

    def run(self, data_root: Path | None, *, download: bool, quiet: bool) -> int:
        """Simulate what is still pending; return the exit code."""
        import simulate.console
        from lazyrich.console import console
        from simulate.running.runner import run

        with simulate.console.progress_on(console(stderr=True, quiet=quiet)) as progress:
            result = run(
                self.campaign, self.store, device=self.device, workers=self.workers, threads=self.threads,
                data_root=data_root, download=download, progress=progress,
            )  # fmt: skip
        return simulate.console.exit_code(result)


def simulation_for(
    preset: str,
    activation: str | None,
    depth: int | None,
    base_seed: int | None,
    *,
    alone: bool,
    out: Path | None,
    device: str,
    workers: int | None,
    threads: int,
) -> Simulation:
    """Return the simulation that a report without a store is made of; see `fit.report.campaigns.campaign_for`.

    A new activation is measured with as many seeds as this machine trains in a few minutes, or as its store has.
    """
    from simulate.running.runner import worker_count

    campaign_of = functools.partial(campaign_for, preset, activation, depth, base_seed, alone=alone)
    campaign = campaign_of(seeds=seeds_for(worker_count(workers, device, threads), device))
    store = (out or Path("reports", campaign.name)) / "store.zarr"
    if activation is not None:
        campaign = in_size_of_store(store, campaign, campaign_of)
    return Simulation(campaign, store, device, workers, threads)
