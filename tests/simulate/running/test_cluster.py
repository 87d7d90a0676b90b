"""A Dask cluster of separate processes computes what one process computes, whatever dies on the way."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import xarray as xr
from computes import deadly, slowly
from typer.testing import CliRunner

from simulate import Store, StoreError, run
from simulate.command import app
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.running.cluster import on_cluster
from theory import InputError


class Cluster:
    """``dask scheduler`` and ``dask worker`` processes on this machine."""

    def __init__(self, folder):
        self.file = folder / "scheduler.json"
        self.processes = []
        self.scheduler = None

    def start_scheduler(self, port=0):
        options = ["--port", port, "--host", "127.0.0.1", "--no-dashboard", "--no-show"]
        self.scheduler = self._start("scheduler", *options, "--scheduler-file", self.file)
        wait_for(self.file.exists)

    def start_worker(self, *options):
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", *options]
        return self._start("worker", "--scheduler-file", self.file, *options)

    def _start(self, *command):
        command = [sys.executable, "-m", "dask", *map(str, command)]
        # workers find the stand-ins of the tests
        own = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
        process = subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    @property
    def port(self):
        return json.loads(self.file.read_text())["address"].rpartition(":")[2]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def started(folder):
    """A scheduler, ended with its workers."""
    one = Cluster(folder)
    try:
        one.start_scheduler()
        yield one
    finally:
        for process in one.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    with started(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def with_two_workers(tmp_path_factory):
    """For tests that leave at least one of them."""
    with started(tmp_path_factory.mktemp("cluster")) as one:
        for _ in range(2):
            one.start_worker()
        yield one


def numbers(path):
    tree = xr.open_datatree(path, engine="zarr")
    return {
        name: tree[name].to_dataset().drop_vars(NONDETERMINISTIC_VARIABLES).load().drop_attrs()
        for name in ("one", "two")
    }


def assert_same(path, other):
    for name, data in numbers(path).items():
        xr.testing.assert_identical(data, numbers(other)[name])


def test_the_command_on_a_cluster_gives_the_store_of_a_local_run(tiny, finished, tmp_path, with_two_workers):
    """Two workers, progress of both on one display, the address from the scheduler's file."""
    from test_runner import _toml

    (tmp_path / "c.toml").write_text(_toml(tiny))
    arguments = [tmp_path / "c.toml", "--out", tmp_path / "s", "--scheduler", with_two_workers.file]
    ended = CliRunner().invoke(app, [str(a) for a in arguments])
    assert ended.exit_code == 0, ended.output
    assert "24 of 24 networks, 0 not fitted" in ended.stderr
    assert_same(tmp_path / "s", finished)
    assert Store.open(tmp_path / "s").records()[0]["workers"] == "cluster"


def test_a_worker_killed_in_mid_run_costs_nothing(tiny, finished, tmp_path, with_two_workers):
    """Each has two of four tasks, of more than a second each: the one that is killed was at work or had some to do."""
    doomed = with_two_workers.processes[-1]
    killed = []

    def kill(now):
        if now.finished and not killed:
            killed.append(doomed.kill())

    run(tiny, tmp_path / "s", scheduler=str(with_two_workers.file), compute=slowly, progress=kill)
    assert killed
    assert_same(tmp_path / "s", finished)


@pytest.mark.slow
def test_a_restarted_scheduler_is_waited_for_and_gets_what_is_left(tiny, finished, tmp_path, cluster):
    cluster.start_worker()
    said, restarted = [], []

    def restart():
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        cluster.file.unlink()
        time.sleep(1.0)
        cluster.start_scheduler()
        cluster.start_worker()

    def watch(now):
        if now.finished and not restarted:
            restarted.append(threading.Thread(target=restart))
            restarted[0].start()

    run(tiny, tmp_path / "s", scheduler=str(cluster.file), compute=slowly, progress=watch, say=said.append)
    restarted[0].join()
    assert any("is gone: waiting for it" in sentence for sentence in said)
    assert_same(tmp_path / "s", finished)


@pytest.mark.slow
def test_a_task_that_kills_every_worker_stays_pending_and_others_do_not_mind(tiny, tmp_path, cluster):
    for _ in range(7):
        cluster.start_worker()

    outcome = run(tiny, tmp_path / "s", scheduler=str(cluster.file), compute=deadly)
    assert [(t.experiment, t.width) for t in outcome.lost] == [("two", 16)]
    assert Store.open(tmp_path / "s").pending() == outcome.lost


@pytest.mark.slow
def test_gpu_tasks_go_to_workers_that_offer_one(tiny, tmp_path, cluster):
    """Tasks on cuda ask for the resource GPU; a worker without it is left idle, and a person is told."""
    cluster.start_worker()
    said = []

    def offer(sentence):
        said.append(sentence)
        cluster.start_worker("--resources", "GPU=1", "--name", "with-gpu")

    with pytest.raises(InputError, match="torch can't use it"):  # the worker says so: there is none here
        run(tiny, tmp_path / "s", scheduler=str(cluster.file), device="cuda", say=offer)
    assert said == ["no worker with a GPU (dask worker --resources GPU=1) yet: waiting"]


def test_a_scheduler_that_is_not_there_is_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("simulate.running.cluster._TIMEOUT", 0.5)
    (tmp_path / "empty.json").write_text("{}")
    for wrong, told in (
        ("nosuch.json", "neither an address nor a file"),
        ("tcp://127.0.0.1:9", "does not answer"),
        (str(tmp_path / "empty.json"), "names no address"),
    ):
        with pytest.raises(InputError, match=told) as caught:
            run(tiny, tmp_path / "s", scheduler=wrong)
        assert caught.value.field == "scheduler"


@pytest.mark.slow
def test_a_scheduler_that_does_not_come_back_ends_the_run_with_what_is_finished(tiny, tmp_path, cluster, monkeypatch):
    monkeypatch.setattr("simulate.running.cluster.on_cluster", lambda *a: on_cluster(*a, patience=1.0))
    cluster.start_worker()
    with pytest.raises(StoreError, match=r"not back after 1 s\. What was finished is kept"):
        run(
            tiny,
            tmp_path / "s",
            scheduler=f"127.0.0.1:{cluster.port}",
            compute=slowly,
            progress=lambda now: now.finished and cluster.scheduler.kill(),
        )
    assert 0 < len(Store.open(tmp_path / "s").pending()) < 4


@pytest.mark.slow
def test_a_worker_with_other_packages_refuses(tiny, tmp_path, cluster, monkeypatch):
    """Results would depend on who computes them."""
    from simulate.store.provenance import versions

    monkeypatch.setattr("simulate.running.runner.versions", lambda: {**versions(), "torch": "1.0"})
    cluster.start_worker()
    with pytest.raises(InputError, match=r"a worker has this version and the run has 1\.0"):
        run(tiny, tmp_path / "s", scheduler=str(cluster.file))
