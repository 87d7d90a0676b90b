"""A plan's memory and time are those of the run, within the factor that it states."""

import time

import pytest

from simulate import Campaign, run
from simulate.planning.tasks import campaign_tasks
from simulate.running.dry_run import plan


def test_a_plan_counts_what_is_pending_and_uses_no_more_workers_than_tasks():
    campaign = Campaign.from_preset("smoke")
    whole = plan(campaign, 64)
    assert (whole.networks, whole.tasks) == (campaign.size, len(campaign_tasks(campaign)))
    assert whole.workers == whole.tasks
    half = plan(campaign, 1, tasks=campaign_tasks(campaign)[:1])
    assert half.seconds < plan(campaign, 1).seconds
    assert 0 < half.memory <= whole.memory < 1
    assert plan(campaign, 1, tasks=()).seconds == 0


@pytest.mark.slow
def test_the_estimated_time_is_right_within_a_factor_of_two(tmp_path):
    """On a machine that does nothing else; what starts the workers (seconds) is left out by using one."""
    campaign = Campaign.from_preset("quick").changed(seeds=2)
    estimated = plan(campaign, 1).seconds
    started = time.perf_counter()
    run(campaign, tmp_path / "store.zarr", workers=1)
    assert estimated / 2 < time.perf_counter() - started < estimated * 2
