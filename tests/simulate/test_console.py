"""Progress fits a terminal of 80 columns: how many, how many failed, how long, and where in the grid."""

import io

import pytest
from rich.console import Console

from simulate.console import progress_on
from simulate.planning.tasks import Task
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
    assert "A = 0.0001 to 3e+01" in " ".join(text.split())
    assert f"{name}, h = 512" in " ".join(text.split())


def test_before_the_first_task_is_done_there_is_no_time_left():
    text = shown(None, finished=0, failed=0, seconds_left=None)
    assert "0 not fitted" in text
    assert "left" not in text
