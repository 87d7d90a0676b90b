"""Which devices there are, and that each process of a run has one of its own."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import xarray as xr

from lazyrich.errors import InputError
from simulate.measure.engine import run_task
from simulate.planning.tasks import campaign_tasks
from simulate.running import workers
from simulate.running.devices import check_device, run_devices
from simulate.running.job import Job
from simulate.running.runner import worker_count


@pytest.mark.parametrize("device", ["gpu", "mps", "meta", "CPU", "cpu:0", "cuda:x", "", "cuda:99999", "[red]"])
def test_a_device_that_there_is_not_is_refused_with_those_that_there_are(device):
    with pytest.raises(InputError, match="Use one that this machine has: cpu") as caught:
        check_device(device)
    assert caught.value.field == "device"
    check_device("cpu")


@pytest.mark.parametrize(
    ("device", "gpus", "expected"),
    [
        ("cuda", 3, ("cuda:0", "cuda:1", "cuda:2")),
        ("cuda", 1, ("cuda",)),
        ("cuda", 0, ("cuda",)),  # refused by check_device
        ("cuda:1", 3, ("cuda:1",)),
        ("cpu", 3, ("cpu",)),
    ],
)
def test_all_visible_gpus_are_used_unless_one_is_named(monkeypatch, device, gpus, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert run_devices(device) == expected
    if device != "cpu":
        assert worker_count(None, device) == len(expected)
        assert worker_count(5, device) == 5


@dataclass(frozen=True)
class OnAnyDevice(Job):
    """Trains nothing: says where it was to train, and with how many tasks.

    Nothing is returned before both devices have been given tasks: one process alone would be too fast for the other.
    """

    def run_together(self, tasks, data=None):
        folder = Path(self.data_root)
        (folder / self.device).touch()
        deadline = time.monotonic() + 120
        while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        for task in tasks:
            yield task, xr.Dataset(attrs={"device": self.device, "together": len(tasks)})


@pytest.fixture
def many(tiny, monkeypatch, tmp_path):
    """Tasks of one seed, and a job for which a batch may hold four networks: two tasks."""
    monkeypatch.setattr("simulate.planning.tasks._NETWORKS_PER_TASK", 1)
    monkeypatch.setattr("simulate.measure.batching.networks_of_tasks", lambda *_: 4)
    job = OnAnyDevice(tiny, "cuda", str(tmp_path), run_task, {}, {})
    return job, campaign_tasks(tiny)


def test_each_process_has_a_device_and_the_networks_of_a_task_stay_together(many):
    job, tasks = many
    in_flight = set()
    done = list(workers.in_processes(job, tasks, ("cuda:0", "cuda:1"), in_flight, lambda _: None))
    assert sorted(d.task.title for d in done) == sorted(task.title for task in tasks)
    assert in_flight == set(tasks)
    assert {d.result.attrs["device"] for d in done} == {"cuda:0", "cuda:1"}
    assert max(d.result.attrs["together"] for d in done) == 2


def test_tasks_of_one_width_are_shared_by_all_devices(many, monkeypatch):
    """Where all tasks of a width fit on one GPU, the second one gets its half of them."""
    job, tasks = many
    monkeypatch.setattr("simulate.measure.batching.networks_of_tasks", lambda *_: 1000)
    first = tasks[0]
    alike = [t for t in tasks if (t.experiment, t.width) == (first.experiment, first.width)]
    assert len(next(job.groups(tasks))) == len(alike) > 1
    assert len(next(job.groups(tasks, 2))) == -(-len(alike) // 2)
    assert all(len(group) == 1 for group in job.groups(tasks, len(alike)))
