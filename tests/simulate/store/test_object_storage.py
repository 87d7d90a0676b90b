"""Stores on object storage do what stores on disk do: fsspec's in-memory file system, and a local S3 server."""

import os

import fsspec
import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from simulate import Status, Store, StoreError, run
from simulate.command import app
from simulate.data import load_data
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from theory import InputError


@pytest.fixture(scope="module")
def s3():
    """The URL of a bucket of a real S3 server on this machine (pip install s3fs 'moto[server]')."""
    pytest.importorskip("s3fs")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    own = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir("bucket")
    yield "s3://bucket"
    server.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.slow)])
def url(request):
    """Where no store is yet."""
    if request.param == "memory":
        yield f"memory://{request.node.name}"
        fsspec.filesystem("memory").store.clear()
    else:
        yield f"{request.getfixturevalue('s3')}/{request.node.name}"


@pytest.fixture
def stored(finished, url):
    """A copy of the finished store there."""
    fs, root = fsspec.core.url_to_fs(url)
    for file in finished.rglob("*"):
        if file.is_file():
            fs.pipe_file(f"{root}/{file.relative_to(finished)}", file.read_bytes())
    return url


def numbers(path):
    tree = xr.open_datatree(path, engine="zarr")
    return {
        name: tree[name].to_dataset().drop_vars(NONDETERMINISTIC_VARIABLES).load().drop_attrs()
        for name in ("one", "two")
    }


def assert_same(path, other):
    for name, data in numbers(path).items():
        xr.testing.assert_identical(data, numbers(other)[name])


def simulate(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_a_run_gives_the_store_that_it_gives_on_disk(tiny, finished, url):
    run(tiny, url, workers=2)
    assert_same(url, finished)
    assert Store.open(url).verify() == []
    assert Store.open(url).records()[0]["how"] == "done"


def test_an_interrupted_run_goes_on(tiny, finished, url):
    from simulate import run_task

    done = []

    def two_then_stop(experiment, task, data, *, device):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        return run_task(experiment, task, data, device=device)

    with pytest.raises(KeyboardInterrupt):
        run(tiny, url, workers=1, compute=two_then_stop)
    assert len(Store.open(url).pending()) == 2
    assert xr.open_datatree(url, engine="zarr")["one"]["status"].isin(list(Status)).all()
    run(tiny, url, workers=1)
    assert_same(url, finished)


def test_damage_is_found_and_only_that_is_mended(tiny, finished, stored):
    fs, root = fsspec.core.url_to_fs(stored)
    harmed = ["one/kernel_change/c/1/0/0", "two/status/c/0/0/0", "two/steps/zarr.json", "zarr.json"]
    fs.pipe_file(f"{root}/{harmed[0]}", fs.cat_file(f"{root}/{harmed[0]}")[:-1])
    fs.rm_file(f"{root}/{harmed[1]}")
    fs.pipe_file(f"{root}/{harmed[2]}", b"{}")
    fs.rm_file(f"{root}/{harmed[3]}")
    store = Store.open(stored)
    assert sorted(d.path for d in store.verify()) == sorted(harmed)
    tasks = store.repair({e.name: load_data(e, None) for e in tiny.experiment})
    assert sorted((t.experiment, t.width) for t in tasks) == [("one", 16), ("two", 8)]
    run(tiny, stored, workers=1)
    assert Store.open(stored).verify() == []
    assert_same(stored, finished)


def test_a_second_run_is_refused_with_its_holder_and_a_dead_one_can_be_released(tiny, stored):
    store = Store.open(stored)
    with store.lock():
        with pytest.raises(StoreError, match=rf"another run is writing to it \(process {os.getpid()} on .*unlock"):
            run(tiny, stored)
        ended = simulate("repair", stored)
        assert ended.exit_code == 5
        assert "unlock" in ended.stderr
    with store.lock():  # and it is released at the end
        pass
    store.backend.write(
        {".lazyrich/lock": b'{"host": "node7", "process": 7, "since": "2026-01-01"}'}
    )  # of a killed run
    with pytest.raises(StoreError, match="process 7 on node7, since 2026-01-01"):
        run(tiny, stored)
    assert "released" in simulate("unlock", stored).stdout
    with store.lock():
        pass
    assert "not held" in simulate("unlock", stored).stdout


def test_the_command_takes_a_url(tiny, stored, tmp_path):
    assert "12 converged" in simulate("status", stored).stdout
    assert simulate("verify", stored).exit_code == 0
    assert simulate("export", stored, tmp_path / "t.csv").exit_code == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 25


def test_what_can_not_be_opened_is_refused():
    for url, told in (("nosuch://bucket/store", "can't be opened"), ("memory://nothing", "no such store")):
        ended = simulate("status", url)
        assert ended.exit_code == 2
        assert told in ended.stderr
    fsspec.filesystem("memory").pipe_file("thesis/main.tex", b"precious")
    with pytest.raises(InputError, match="is not a store"):
        Store.open("memory://thesis")


def test_an_endpoint_that_does_not_answer_is_a_failing_storage(finished, monkeypatch):
    """Whatever a service's client raises becomes one sentence."""
    fs = fsspec.filesystem("memory")

    class NoConnection(Exception):
        pass

    def refuse(*_, **__):
        raise NoConnection("could not connect")

    monkeypatch.setattr(type(fs), "cat_file", refuse)
    ended = simulate("status", "memory://anything")
    assert ended.exit_code == 2
    assert "NoConnection: could not connect" in ended.stderr


def test_numbers_survive_the_way_through_a_bucket(finished, stored):
    for name, data in numbers(stored).items():
        np.testing.assert_array_equal(data["test_output"], numbers(finished)[name]["test_output"])
