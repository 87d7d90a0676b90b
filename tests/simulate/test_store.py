"""The store keeps what it promises: layout, order of writing, detection of damage, repair of only what is damaged."""

import numpy as np
import pytest
import xarray as xr

from simulate import Campaign, Status, Store, StoreError, run
from simulate.data import load_data
from simulate.schema import CIRCUMSTANCES
from simulate.store import reading
from theory import InputError


def data_of(campaign):
    return {e.name: load_data(e, None) for e in campaign.experiment}


def equal(one, other):
    """Whether two stores hold the same numbers, wall times apart."""
    for name in ("one", "two"):
        a, b = (xr.open_datatree(p, engine="zarr")[name].to_dataset().drop_vars(CIRCUMSTANCES) for p in (one, other))
        if not a.identical(b):
            return False
    return True


def files_of(path):
    """All files of a store: results, coordinates and metadata."""
    return sorted(p for p in path.rglob("*") if p.is_file())


def test_it_opens_with_xarray_and_has_the_documented_layout(finished):
    tree = xr.open_datatree(finished, engine="zarr")
    data = tree["one"].to_dataset()
    assert data["kernel_change"].dims == ("width", "root_h_alpha", "seed")
    assert data["weight_change"].dims == ("width", "root_h_alpha", "seed", "layer")
    assert data["test_output"].dims == ("width", "root_h_alpha", "seed", "test_point")
    assert data["test_output"].dtype == "float32"
    assert data.sizes == {"width": 2, "root_h_alpha": 2, "seed": 3, "layer": 2, "test_point": 30}
    for variable in data.variables.values():
        assert variable.attrs["long_name"]
        assert variable.attrs["units"] == "1"
    assert data["status"].attrs["flag_meanings"].split()[:2] == ["pending", "converged"]
    assert data["status"].attrs["flag_values"] == [int(s) for s in Status]
    assert (data["status"] == Status.CONVERGED).all()
    assert np.isfinite(data["kernel_change"]).all()
    assert data.attrs["data"]["name"] == "digits"
    assert len(data.attrs["data"]["sha256"]) == 64


def test_a_new_store_is_pending_and_whole(tiny, tmp_path):
    store = Store.create(tmp_path / "s", tiny, data_of(tiny), "cpu")
    assert store.pending() == tiny.tasks()
    assert store.verify() == []
    assert store.counts() == {"one": {Status.PENDING: 12}, "two": {Status.PENDING: 12}}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seeds": 4}, "experiment[0].seeds"),
        ({"widths": [8, 16, 32]}, "experiment[0].widths"),
        ({"base_seed": 1}, "experiment[0].base_seed"),
        ({"activation": "tanh"}, "experiment[0].activation"),
    ],
)
def test_a_changed_campaign_is_refused_by_the_field_that_changed(tiny, store_path, change, field):
    fields = tiny.to_dict()
    fields["experiment"][0] |= change
    before = {p: p.read_bytes() for p in files_of(store_path)}
    with pytest.raises(InputError) as caught:
        run(Campaign.from_dict(fields), store_path)
    assert caught.value.field == field
    assert {p: p.read_bytes() for p in files_of(store_path)} == before


def test_what_is_not_a_store_is_refused_and_left_alone(tiny, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("folder", "file"):
        with pytest.raises(InputError, match="not a store"):
            Store.create(tmp_path / name, tiny, data_of(tiny), "cpu")
    with pytest.raises(InputError, match="no such store"):
        Store.open(tmp_path / "nothing")
    assert (tmp_path / "folder" / "thesis.tex").read_text() == "precious"
    assert (tmp_path / "file").read_text() == "precious"


def test_two_runs_can_not_hold_one_store(store_path):
    store = Store.open(store_path)
    with store.locked(), pytest.raises(StoreError, match="another run"), Store.open(store_path).locked():
        pass
    with store.locked():  # and the lock goes with its holder
        pass


def test_every_byte_flipped_anywhere_is_found_and_repair_brings_the_store_back(tiny, finished, store_path):
    """One flipped bit in a sample of all files; each is found, and after repair and run the store is the old one."""
    rng = np.random.default_rng(0)
    files = [p for p in files_of(store_path) if p != store_path / "zarr.json"]
    chosen = rng.choice(len(files), size=24, replace=False)
    for index in chosen:
        file = files[index]
        whole = file.read_bytes()
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        found = Store.open(store_path).verify()
        assert [d.path for d in found if d.path == str(file.relative_to(store_path))], file
        file.write_bytes(whole)
    assert Store.open(store_path).verify() == []
    for index in chosen:
        files[index].write_bytes(b"\x00" + files[index].read_bytes()[1:] + b"junk")
    store = Store.open(store_path)
    assert store.repair(data_of(tiny))
    run(tiny, store_path, workers=1)
    assert Store.open(store_path).verify() == []
    assert equal(store_path, finished)


def test_repair_touches_only_the_damaged_task(tiny, store_path):
    chunk = store_path / "one" / "kernel_change" / "c" / "1" / "0" / "0"
    others = {p: p.stat().st_mtime_ns for p in files_of(store_path / "two")}
    chunk.write_bytes(chunk.read_bytes()[:-1])
    tasks = Store.open(store_path).repair(data_of(tiny))
    assert [(t.experiment, t.width) for t in tasks] == [("one", 16)]
    assert Store.open(store_path).pending() == tasks
    assert {p: p.stat().st_mtime_ns for p in others} == others


def test_a_missing_chunk_and_a_missing_description_are_found(tiny, finished, store_path):
    (store_path / "one" / "test_output" / "c" / "0" / "0" / "0" / "0").unlink()
    (store_path / "two" / "steps" / "zarr.json").unlink()
    found = {d.path: d.problem for d in Store.open(store_path).verify()}
    assert "missing" in found["one/test_output/c/0/0/0/0"]
    assert "missing" in found["two/steps/zarr.json"]
    Store.open(store_path).repair(data_of(tiny))
    run(tiny, store_path, workers=1)
    assert Store.open(store_path).verify() == []
    assert equal(store_path, finished)


def test_a_root_that_was_changed_is_found_and_not_guessed_at(tiny, store_path):
    root = store_path / "zarr.json"
    root.write_text(root.read_text().replace('"softplus"', '"tanh"'))
    assert "zarr.json" in [d.path for d in Store.open(store_path).verify()]
    with pytest.raises(InputError, match="root metadata are damaged"):
        Store.open(store_path).repair(data_of(tiny))
    root.write_text("{")
    with pytest.raises(InputError, match="damaged"):
        Store.open(store_path)


def test_reading_a_damaged_store_names_the_damage_and_the_remedy(store_path):
    chunk = store_path / "one" / "kernel_change" / "c" / "1" / "0" / "0"
    chunk.write_bytes(b"\x00" * 40)
    with pytest.raises(InputError, match="kernel_change/c/1/0/0") as caught, reading(store_path):
        Store.open(store_path).tree()["one"]["kernel_change"].load()
    assert "repair" in caught.value.remedy


def test_a_task_that_was_not_committed_counts_for_nothing(tiny, store_path):
    """Its numbers may be there, half written even; without its status it is pending and verify does not mind."""
    store = Store.open(store_path)
    task = tiny.tasks()[0]
    store.mark_pending(task)
    store._chunk_file(task, "kernel_change").unlink()
    assert store.pending() == (task,)
    assert store.verify() == []


def test_a_store_that_turns_read_only_says_what_is_kept(tiny, store_path, monkeypatch):
    """Permission bits do not stop root, so the operating system's answer is imitated."""
    store = Store.open(store_path)
    task = tiny.tasks()[0]
    result = xr.Dataset({"status": (("width", "root_h_alpha", "seed"), np.ones((1, 2, 3), "int8"))})

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "_flush", no_space)
    with pytest.raises(StoreError, match="No space left on device"):
        store.write(task, result)
