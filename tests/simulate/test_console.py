"""Progress fits a terminal of 80 columns: how many, how many failed, how long, and where in the grid."""

import io
from importlib.metadata import EntryPoint

import pytest
from rich.console import Console

from simulate import Campaign
from simulate.console import print_plan, progress_on, undecidable_laws
from simulate.planning.tasks import Task
from simulate.running.dry_run import Plan
from simulate.running.runner import Progress


def shown(task, **changes):
    """What a terminal shows at the end."""
    out = Console(file=io.StringIO(), force_terminal=True, width=80, legacy_windows=False, color_system=None)
    with progress_on(out) as show:
        show(Progress(**({"networks": 13500, "finished": 12345, "failed": 1234, "task": task, "seconds": 400.0,
                          "seconds_left": 5000.0, "root_h_alpha": (1e-4, 31.6)} | changes)))  # fmt: skip
    return out.file.getvalue()


@pytest.mark.parametrize("name", ["relu-L3", "z-sigmoid-1-702-z-L3-widths-of-a-name-as-long-as-a-name-may-well-be"])
def test_nothing_is_cut(name):
    text = shown(Task(name, 0, 512, 0, 10))
    assert "…" not in text
    assert "12345/13500 1234 not fitted, 83 min left" in text
    assert "A = 10⁻⁴ to 30" in " ".join(text.split())
    assert f"{name}, h = 512" in " ".join(text.split())


def test_before_the_first_task_is_done_there_is_no_time_left():
    text = shown(None, finished=0, failed=0, seconds_left=None)
    assert "0 not fitted" in text
    assert "left" not in text


def test_a_plan_names_the_laws_that_the_grid_cannot_decide():
    out = Console(file=io.StringIO(), width=60)
    campaign = Campaign.from_preset("smoke")
    plan = Plan(networks=168, tasks=12, memory=0.1, workers=2, seconds=7.0)
    print_plan(out, campaign, plan, undecidable={"3 widths of 4": ["End of lazy training: α* (power of h)"]})
    told = " ".join(out.file.getvalue().split())
    assert "can't decide, whatever is measured on it: 3 widths of 4: End of lazy training: α* (power of h)" in told
    print_plan(out, campaign, plan, undecidable={})
    assert "every law that theory claims here can be decided" in out.file.getvalue()


def test_what_judges_laws_is_an_entry_point(monkeypatch):
    """Nothing in this package depends on it; without it nothing is said."""
    campaign = Campaign.from_preset("smoke")
    point = EntryPoint("laws", "fit.report.foresight:undecidable_laws", "lazyrich.foresight")
    monkeypatch.setattr("simulate.console.entry_points", lambda group: [point])
    assert any("power of h" in law for laws in undecidable_laws(campaign).values() for law in laws)
    monkeypatch.setattr("simulate.console.entry_points", lambda group: [])
    assert undecidable_laws(campaign) is None
