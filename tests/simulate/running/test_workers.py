"""Who computes: tasks in this process, and what a process beside it starts with."""

import sys

import xarray as xr

from simulate import load_data
from simulate.planning.tasks import campaign_tasks
from simulate.running.job import Job
from simulate.running.workers import MOST_DEATHS, _Deaths, _main_module_left_out, in_this_process
from simulate.store.provenance import versions


def test_tasks_are_handed_over_one_after_the_other_as_they_are_done(tiny):
    tasks, order = campaign_tasks(tiny), []

    def compute(experiment, task, data, *, device):
        order.append(f"computed {task.title}")
        return xr.Dataset(attrs={"task": task.title})

    data = {e.name: load_data(e) for e in tiny.experiment}
    sha256 = {name: d.sha256 for name, d in data.items()}
    in_flight = set()
    for done in in_this_process(Job(tiny, "cpu", None, compute, sha256, versions()), tasks, data, in_flight):
        assert done.task in in_flight
        assert done.result.attrs["task"] == done.task.title
        order.append(f"handed over {done.task.title}")
    expected = [f"{what} {task.title}" for task in tasks for what in ("computed", "handed over")]
    assert order == expected
    assert in_flight == set(tasks)


def test_a_worker_does_not_run_the_callers_script():
    caller = sys.modules["__main__"]
    with _main_module_left_out():
        assert sys.modules["__main__"] is not caller
        assert not hasattr(sys.modules["__main__"], "__file__")
    assert sys.modules["__main__"] is caller


def test_the_callers_script_is_back_after_an_error():
    caller = sys.modules["__main__"]
    try:
        with _main_module_left_out():
            raise RuntimeError
    except RuntimeError:
        pass
    assert sys.modules["__main__"] is caller


def test_so_many_deaths_in_a_row_are_the_machines_fault():
    assert not _Deaths(MOST_DEATHS - 1).too_many
    assert _Deaths(MOST_DEATHS).too_many
