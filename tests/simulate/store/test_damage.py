"""Damage that no checksum of a chunk tells: one that is whole and another's, and what is no file at all."""

import json
import os
import shutil

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from simulate import Store, run
from simulate.command import app
from simulate.data import load_data
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.store import DamagedStoreError, open_tree
from simulate.store.root import sealed


def data_of(campaign):
    return {e.name: load_data(e, None) for e in campaign.experiment}


def mend(campaign, path):
    store = Store.open(path)
    with store.lock():
        tasks = store.repair(data_of(campaign))
    run(campaign, path, workers=1)
    assert Store.open(path).verify() == []
    return tasks


def assert_equal(path, other):
    for name in ("one", "two"):
        stores = [xr.open_datatree(p, engine="zarr")[name].to_dataset() for p in (path, other)]
        xr.testing.assert_equal(*(store.drop_vars(NONDETERMINISTIC_VARIABLES) for store in stores))


CHUNK = "one/kernel_change/c/0/0/0"


@pytest.mark.parametrize(
    "other",
    [
        "one/kernel_change/c/1/0/0",  # another task's
        "one/test_error/c/0/0/0",  # another variable's, of the same shape
        "two/kernel_change/c/0/0/0",  # another experiment's
        "one/weight_change/c/0/0/0/0",  # of another shape
        "one/test_output/c/0/0/0/0",  # of another type
    ],
)
def test_a_chunk_replaced_by_another_whole_one_is_found_and_mended(tiny, finished, store_path, other):
    """Each bears its own checksum, and is what zarr would read without a word."""
    assert (store_path / CHUNK).read_bytes() != (store_path / other).read_bytes()
    shutil.copyfile(store_path / other, store_path / CHUNK)
    (damage,) = Store.open(store_path).verify()
    assert (damage.path, damage.task.width) == (CHUNK, 8)
    assert [(t.experiment, t.width) for t in mend(tiny, store_path)] == [("one", 8)]
    assert_equal(store_path, finished)


def test_a_chunk_of_another_store_is_found_though_the_layout_is_the_same(tiny, store_path, tmp_path):
    other = run(tiny.changed(base_seed=1), tmp_path / "other", workers=1).store
    shutil.copyfile(other.path / CHUNK, store_path / CHUNK)
    assert [d.path for d in Store.open(store_path).verify()] == [CHUNK]


def test_a_whole_task_of_another_store_is_found_with_its_commit_record(tiny, store_path, tmp_path):
    other = run(tiny.changed(base_seed=1), tmp_path / "other", workers=1).store
    for chunk in [*other.path.glob("one/*/c/0/0/**/0"), other.path / ".lazyrich/commits/one/0.0.0.json"]:
        if chunk.is_file():
            shutil.copyfile(chunk, store_path / chunk.relative_to(other.path))
    damaged = Store.open(store_path).verify()
    assert ".lazyrich/commits/one/0.0.0.json" in {d.path for d in damaged}
    assert {(d.task.experiment, d.task.width) for d in damaged if d.task} == {("one", 8)}


def test_a_swapped_status_is_found(tiny, store_path):
    """The status of a task whose networks ended otherwise."""
    store = Store.open(store_path)
    task = store.tasks()[0]
    data = store.tree()[task.experiment].to_dataset().isel(width=[task.index]).load()
    data["status"][:] = 2
    status = store_path / store.codecs[task.experiment].key(task, "status")
    status.write_bytes(store.codecs[task.experiment].encode(task, "status", data["status"].values))
    assert [d.path for d in Store.open(store_path).verify()] == [str(status.relative_to(store_path))]


def test_a_commit_record_that_is_gone_or_changed_is_found_and_its_task_computed_again(tiny, finished, store_path):
    record = store_path / ".lazyrich/commits/one/0.0.0.json"
    whole = record.read_bytes()
    for harm in (None, whole[:-1], whole.replace(b"kernel", b"kernal", 1)):
        record.unlink() if harm is None else record.write_bytes(harm)
        assert [d.path for d in Store.open(store_path).verify()] == [".lazyrich/commits/one/0.0.0.json"]
    assert len(mend(tiny, store_path)) == 1
    assert_equal(store_path, finished)


def test_stores_from_before_there_were_commit_records_miss_none(tiny, finished, store_path):
    """They are read, verified and gone on with; what is written to them now has records."""
    shutil.rmtree(store_path / ".lazyrich/commits")
    document = json.loads((store_path / "zarr.json").read_text())
    del document["attributes"]["commit_records"]
    for name in ("zarr.json", ".lazyrich/root.json"):
        (store_path / name).write_bytes(sealed(document))
    store = Store.open(store_path)
    assert store.verify() == []
    store.mark_pending(store.tasks()[0])
    run(tiny, store_path, workers=1)
    assert Store.open(store_path).verify() == []
    assert len(list((store_path / ".lazyrich/commits").rglob("*.json"))) == 1
    assert_equal(store_path, finished)


def test_a_kill_between_the_writes_of_a_task_is_no_damage(tiny, finished, tmp_path, monkeypatch):
    """At each of them, for a new task and for one of which an extension has kept a part."""
    data, larger = data_of(tiny), tiny.changed(seeds=4)
    for campaign in (tiny, larger):
        for last in range(5):
            path = tmp_path / f"{campaign.experiment[0].seeds}-{last}"
            if campaign is larger:
                shutil.copytree(finished, path)
                from simulate.store.extend import extend

                extend(path, larger, data)
            store = Store.create(path, campaign, data, "cpu")
            task = store.tasks()[0]
            result = store.fill_values(task)
            stored = Store.open(finished).tree()[task.experiment].to_dataset().isel(width=[task.index]).load()
            for name in result.data_vars:
                result[name].values[:, :, :3] = stored[name].values[:, :, :3]
                result[name].values[:, :, 3:] = stored[name].values[:, :, : task.seed_count - 3]
            write, calls = store.backend.write, []

            def dies(objects, last=last, write=write, calls=calls):
                calls.append(objects)
                if len(calls) == last:
                    write(dict(list(objects.items())[: len(objects) // 2]))
                    raise KeyboardInterrupt
                write(objects)

            monkeypatch.setattr(store.backend, "write", dies)
            try:
                store.write(task, result)
            except KeyboardInterrupt:
                assert last
            assert Store.open(path).verify() == []


@pytest.mark.parametrize(
    "key",
    [CHUNK, ".lazyrich/commits/one/0.0.0.json", "one/status/c/0/0/0", "two/root_h_alpha/c/0", "one/steps/zarr.json"],
)
@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_in_a_files_place_is_found_and_replaced(tiny, finished, store_path, key, kind):
    file = store_path / key
    kept = file.rename(file.with_name("moved"))
    if kind == "folder":
        file.mkdir()
        (file / "inside").write_text("something")
    elif kind == "link":
        file.symlink_to(kept)
    else:
        os.mkfifo(file)
    expected = {"folder": "is a folder", "link": "is a symbolic link", "pipe": "is no file"}[kind]
    assert (key, expected) in [(d.path, d.problem) for d in Store.open(store_path).verify()]
    mend(tiny, store_path)
    assert file.is_file()
    assert not file.is_symlink()
    assert_equal(store_path, finished)


def test_a_file_in_a_folders_place_is_replaced(tiny, finished, store_path):
    shutil.rmtree(store_path / "one/kernel_change/c")
    (store_path / "one/kernel_change/c").write_text("something")
    assert len(Store.open(store_path).verify()) == 2
    assert len(mend(tiny, store_path)) == 2
    assert_equal(store_path, finished)


def test_the_root_of_another_store_is_not_taken_for_this_ones(tiny, finished, store_path, tmp_path):
    """Both roots bear their seals: the one that describes what is there is this store's."""
    other = Store.create(tmp_path / "other", tiny.changed(base_seed=1), data_of(tiny), "cpu")
    for name in ("zarr.json", ".lazyrich/root.json"):
        whole = (store_path / name).read_bytes()
        shutil.copyfile(other.path / name, store_path / name)
        store = Store.open(store_path)
        assert store.campaign == tiny
        assert [d.path for d in store.verify()] == [name]
        mend(tiny, store_path)
        assert (store_path / name).read_bytes() == whole
    assert_equal(store_path, finished)


def resealed(path, change):
    """Change both roots, with seals that fit: what only a program does."""
    document = json.loads((path / "zarr.json").read_text())
    change(document)
    for name in ("zarr.json", ".lazyrich/root.json"):
        (path / name).write_bytes(sealed(document))


def deep(levels):
    return b'{"attributes": ' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("consolidated_metadata"),
        lambda d: d.update(consolidated_metadata=None),
        lambda d: d["consolidated_metadata"].update(metadata=[]),
        lambda d: d["attributes"].update(data=3),
        lambda d: d["attributes"]["data"].update(one="x"),
        lambda d: d["attributes"].update(versions=[]),
        lambda d: d["attributes"].update(campaign="tiny"),
        lambda d: d["attributes"].update(device=None),
        lambda d: d["attributes"]["manifest"].update({"one/zarr.json": 5}),
        lambda d: d["attributes"]["campaign"]["experiment"][0].update(widths="x"),
    ],
)
def test_attributes_of_a_wrong_type_are_damage_and_no_traceback(store_path, change):
    resealed(store_path, change)
    with pytest.raises(DamagedStoreError):
        Store.open(store_path)
    for command in ("status", "verify", "repair", "unlock"):
        assert CliRunner().invoke(app, [command, str(store_path)]).exit_code == 4


@pytest.mark.parametrize("text", [deep(100_000), b"\xff", b"[" * 10**6, b'{"attributes": ' + b"9" * 5000 + b"}"])
@pytest.mark.parametrize("name", ["zarr.json", "one/zarr.json", "one/status/zarr.json", ".lazyrich/runs.json"])
def test_deep_and_unreadable_documents_are_found_and_mended(tiny, finished, store_path, name, text):
    (store_path / name).write_bytes(text)
    assert [d.path for d in Store.open(store_path).verify()] == [name]
    mend(tiny, store_path)
    assert_equal(store_path, finished)


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["export", "t.csv"],
        ["export", "t.nc"],
        ["reproduce", "--network", "experiment=one,width=8,root_h_alpha=0.1,seed=0"],
    ],
)
@pytest.mark.parametrize("harm", [b"", b"\x00" * 40, None])
def test_commands_on_a_damaged_store_end_with_4_and_send_to_verify(tmp_path, store_path, arguments, harm, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in ("status", "kernel_change", "gradient_evaluations"):
        chunk = store_path / "one" / variable / "c/0/0/0"
        chunk.unlink()
        chunk.mkdir() if harm is None else chunk.write_bytes(harm)
    name, *rest = arguments
    ended = CliRunner().invoke(app, [name, str(store_path), *rest])
    assert ended.exit_code == 4, ended.output
    assert f"lazyrich simulate verify {store_path} lists what is damaged" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_damaged_store_is_not_gone_on_with(tiny, store_path):
    Store.open(store_path).mark_pending(Store.open(store_path).tasks()[0])
    (store_path / "one/steps/zarr.json").write_bytes(b"{}")
    with pytest.raises(DamagedStoreError, match=r"one/steps/zarr\.json"):
        run(tiny, store_path)


def test_the_common_way_of_reading_opens_stores_and_names_what_is_damaged(store_path, tmp_path):
    assert open_tree(store_path)["one"]["kernel_change"].shape == (2, 2, 3)
    xr.Dataset({"x": ("y", np.arange(3.0))}).to_zarr(tmp_path / "foreign", consolidated=False)
    assert open_tree(tmp_path / "foreign")["x"].shape == (3,)
    (store_path / "zarr.json").write_bytes(b"{")
    (store_path / ".lazyrich/root.json").write_bytes(b"{")
    with pytest.raises(DamagedStoreError, match="and so is the copy"):
        open_tree(store_path)
