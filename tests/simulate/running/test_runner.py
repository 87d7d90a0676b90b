"""A run resumes, never loses what is finished, and its results do not depend on who computed them."""

import os
import re
import signal
import subprocess
import sys

import pytest
import xarray as xr
from computes import deadly, fatal

from simulate import Outcome, Progress, RunResult, Status, Store, StoreError, run, run_task
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from theory import InputError


def numbers(path):
    """Everything in a store that a run decides, experiment by experiment, wall times apart."""
    tree = xr.open_datatree(path, engine="zarr")
    return {name: tree[name].to_dataset().drop_vars(NONDETERMINISTIC_VARIABLES).load() for name in ("one", "two")}


def assert_same(path, other):
    for name, data in numbers(path).items():
        xr.testing.assert_identical(data.drop_attrs(), numbers(other)[name].drop_attrs())


def test_processes_give_the_numbers_that_one_process_gives(tiny, finished, tmp_path):
    outcome = run(tiny, tmp_path / "s", workers=2)
    assert isinstance(outcome, RunResult)
    assert Outcome is RunResult  # its former name
    assert outcome.failed_numerics == 0
    assert_same(tmp_path / "s", finished)


def test_progress_counts_networks_and_estimates_the_time_left(tiny, tmp_path):
    told: list[Progress] = []
    run(tiny, tmp_path / "s", workers=1, progress=told.append)
    assert [p.finished for p in told] == [0, 6, 12, 18, 24]
    assert told[0].seconds_left is None
    assert told[1].seconds_left > 0
    assert told[-1].seconds_left == 0
    assert {p.networks for p in told} == {24}


def test_a_second_run_computes_nothing(tiny, store_path):
    def refuse(*_, **__):
        raise AssertionError("computed again")

    run(tiny, store_path, workers=1, compute=refuse)


def test_a_run_that_breaks_off_keeps_what_is_finished_and_the_next_goes_on(tiny, finished, tmp_path):
    done = []

    def two_then_stop(experiment, task, data, *, device):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        return run_task(experiment, task, data, device=device)

    with pytest.raises(KeyboardInterrupt):
        run(tiny, tmp_path / "s", workers=1, compute=two_then_stop)
    assert len(Store.open(tmp_path / "s").pending()) == 2
    again = []

    def counted(experiment, task, data, *, device):
        again.append(task)
        return run_task(experiment, task, data, device=device)

    run(tiny, tmp_path / "s", workers=1, compute=counted)
    assert not set(again) & set(done)
    assert_same(tmp_path / "s", finished)


def test_killed_without_warning_it_resumes_to_the_store_of_an_uninterrupted_run(tiny, finished, tmp_path):
    path = tmp_path / "s"
    campaign = tmp_path / "tiny.toml"
    campaign.write_text(_toml(tiny))
    command = [sys.executable, "-m", "simulate", campaign, "--out", path, "--workers", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not re.match("6 of 24", process.stderr.readline()):
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert 0 < len(Store.open(path).pending()) < 4
    assert xr.open_datatree(path, engine="zarr")["one"]["status"].isin(list(Status)).all()  # it opens
    assert subprocess.run([*command, "--quiet"]).returncode == 0
    assert Store.open(path).verify() == []
    assert_same(path, finished)


def _toml(campaign):
    def value(v):
        return str(v).lower() if isinstance(v, bool) else repr(list(v) if isinstance(v, tuple) else v)

    lines = [f"name = '{campaign.name}'"]
    for experiment in campaign.to_dict()["experiment"]:
        lines.append("[[experiment]]")
        lines += [f"{k} = {value(v)}" for k, v in experiment.items() if not isinstance(v, dict)]
    return "\n".join(lines)


def test_a_store_can_be_read_while_a_run_writes(tiny, tmp_path):
    seen = []

    def look(now: Progress):
        data = xr.open_datatree(tmp_path / "s", engine="zarr")["one"].to_dataset().load()
        finished = data["status"] == Status.CONVERGED
        assert data["kernel_change"].where(finished).notnull().sum() == finished.sum()
        seen.append(int(finished.sum()))

    run(tiny, tmp_path / "s", workers=1, progress=look)
    assert seen[0] == 0
    assert seen[-1] == 12


def test_a_run_on_a_store_that_another_holds_is_told_so(tiny, store_path):
    store = Store.open(store_path)
    with store.lock(), pytest.raises(StoreError, match="another run"):
        run(tiny, store_path)


def test_a_device_or_a_number_of_processes_that_can_not_be_is_refused_before_anything_is_written(tiny, tmp_path):
    for wrong, field in (({"device": "warp"}, "device"), ({"workers": 0}, "workers")):
        with pytest.raises(InputError) as caught:
            run(tiny, tmp_path / "s", **wrong)
        assert caught.value.field == field
    with pytest.raises(InputError, match=r"(?i)mnist"):
        run(tiny.changed(dataset="mnist"), tmp_path / "s", data_root=tmp_path)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_says_what_it_drops_and_keeps_the_rest(tiny, tmp_path, sent):
    path = tmp_path / "s"
    campaign = tmp_path / "tiny.toml"
    # tasks enough to last until the signal arrives
    campaign.write_text(_toml(tiny.changed(widths=list(range(8, 108)))))
    command = [sys.executable, "-m", "simulate", campaign, "--out", path, "--workers", "1"]

    def heard() -> None:
        # a shell starts what runs in the background deaf to SIGINT, and these tests may be that
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    while not re.match(r"\d+ of 1200", process.stderr.readline()):
        assert process.poll() is None
    process.send_signal(sent)
    _, told = process.communicate()
    assert process.returncode == 130
    last = told.strip().splitlines()[-1]
    dropped = r"dropped 1 task in flight \(\w+, h = \d+, seeds 0-2\)"
    assert re.match(rf"interrupted: ({dropped}|no task was in flight); ", last)
    assert "Traceback" not in told
    store = Store.open(path)
    assert store.records()[-1]["how"] == "interrupted"
    assert 0 < len(store.pending()) < 200
    assert store.verify() == []


@pytest.mark.slow
def test_a_worker_process_that_is_killed_is_replaced(tiny, finished, tmp_path):
    """One task takes its process with it each time; it is given up, said, and the others are not affected."""
    said = []
    outcome = run(tiny, tmp_path / "s", workers=2, compute=deadly, say=said.append)
    assert [(t.experiment, t.width) for t in outcome.lost] == [("two", 16)]
    assert Store.open(tmp_path / "s").pending() == outcome.lost
    assert "a worker process died" in said[0]
    run(tiny, tmp_path / "s", workers=1)
    assert_same(tmp_path / "s", finished)


SCRIPT = """
import math
from simulate import Architecture, Campaign, register_architecture, run

print("begun")


@register_architecture
class OneLayer(Architecture):
    name = "one-layer"

    def weight_shapes(self):
        return [(self.width, self.input_dim), (1, self.width)]

    def forward(self, weights, x):
        first, last = weights
        return (self.sigma(x @ first.mT / math.sqrt(self.input_dim)) @ last.mT / math.sqrt(self.width)).squeeze(-1)


experiment = {"name": "one", "architecture": "one-layer", "dataset": "digits", "n_train": 10, "n_test": 10, "depth": 1,
              "activation": "relu", "widths": [4, 8], "root_h_alpha": [1.0, 10.0], "seeds": 2, "tolerance": 1e-2}
outcome = run(Campaign.from_dict({"name": "script", "experiment": [experiment]}), "script.zarr", workers=2)
print(sum(sum(counts.values()) for counts in outcome.counts.values()), "networks,", len(outcome.lost), "tasks lost")
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["script", "-c"])
def test_a_script_without_a_main_guard_trains_in_processes(tmp_path, way):
    """Workers do not run the script again, and know the architecture that it defines."""
    (tmp_path / "mine.py").write_text(SCRIPT)
    arguments = ["mine.py"] if way == "script" else ["-c", SCRIPT]
    done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["begun", "8 networks, 0 tasks lost"]
    with xr.open_datatree(tmp_path / "script.zarr", engine="zarr") as tree:
        assert (tree["one"]["status"] != Status.PENDING).all()


@pytest.mark.slow
def test_networks_whose_processes_die_are_told_by_a_warning(tiny, tmp_path):
    with pytest.warns(RuntimeWarning, match=r"networks in 1 task could not be trained: .* run again"):
        run(tiny, tmp_path / "s", workers=2, compute=deadly)


@pytest.mark.slow
def test_where_every_process_dies_a_run_ends_and_gives_its_tasks_up(tiny, tmp_path, monkeypatch):
    """Not each of the tasks is tried three times: on a machine without memory a run would take hours to say so."""
    monkeypatch.setattr("simulate.running.workers.MOST_DEATHS", 2)
    said = []
    outcome = run(tiny, tmp_path / "s", workers=2, compute=fatal, say=said.append)
    assert len(outcome.lost) == len(Store.open(tmp_path / "s").pending())
    assert "2 worker processes died and no task was done" in said[-1]
    run(tiny, tmp_path / "s", workers=1)
    assert Store.open(tmp_path / "s").pending() == ()
