"""The store keeps what it promises: layout, order of writing, detection of damage, repair of only what is damaged."""

import contextlib
import hashlib
import itertools
import json
import os
import resource
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from simulate import Campaign, Status, Store, StoreError, run, run_task
from simulate.data import load_data
from simulate.measure.schema import NONDETERMINISTIC_VARIABLES
from simulate.planning.integrator_choice import integrator_of
from simulate.planning.tasks import campaign_tasks
from simulate.running.reproduce import reproduce
from simulate.store import exclusive_lock, naming_damage
from simulate.store.folder import FolderBackend
from theory import InputError


def data_of(campaign):
    return {e.name: load_data(e, None) for e in campaign.experiment}


def equal(one, other):
    """Whether two stores hold the same numbers, wall times apart."""
    for name in ("one", "two"):
        a, b = (
            xr.open_datatree(p, engine="zarr")[name].to_dataset().drop_vars(NONDETERMINISTIC_VARIABLES)
            for p in (one, other)
        )
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


def test_chunks_are_those_that_zarr_writes_to_the_byte(finished, store_path):
    before = {p.relative_to(store_path): p.read_bytes() for p in files_of(store_path)}
    with zarr.config.set({"array.write_empty_chunks": True}):
        for _, array in zarr.open_group(store_path, mode="r+").members(max_depth=None):
            if isinstance(array, zarr.Array):
                values = array[...]
                array[...] = values
    assert {p.relative_to(store_path): p.read_bytes() for p in files_of(store_path)} == before


def test_a_new_store_is_pending_and_whole(tiny, tmp_path):
    store = Store.create(tmp_path / "s", tiny, data_of(tiny), "cpu")
    assert store.pending() == campaign_tasks(tiny)
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
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "file", "pipe"):
        with exclusive_lock(tmp_path / name), pytest.raises(InputError, match="not a store"):
            Store.create(tmp_path / name, tiny, data_of(tiny), "cpu")
    with pytest.raises(InputError, match="no such store"):
        Store.open(tmp_path / "nothing")
    assert (tmp_path / "folder" / "thesis.tex").read_text() == "precious"
    assert (tmp_path / "file").read_text() == "precious"


def test_two_runs_can_not_hold_one_store(store_path):
    store = Store.open(store_path)
    with store.lock(), pytest.raises(StoreError, match="another run"), Store.open(store_path).lock():
        pass
    with store.lock():  # and the lock goes with its holder
        pass


def test_every_byte_flipped_anywhere_is_found_and_repair_brings_the_store_back(tiny, finished, store_path):
    """One flipped bit in a sample of all files; each is found, and after repair and run the store is the old one."""
    rng = np.random.default_rng(0)
    files = [p for p in files_of(store_path) if p != store_path / "zarr.json"]  # its copy may be drawn
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


@pytest.mark.parametrize("name", ["zarr.json", ".lazyrich/root.json"])
@pytest.mark.parametrize("harm", [lambda t: t.replace(b'"softplus"', b'"tanh"'), lambda t: b"{", lambda t: b"", None])
def test_the_root_and_its_copy_mend_each_other(tiny, finished, store_path, name, harm):
    """All else hangs on the root: it is kept twice, and one bears its seal while the other is damaged or gone."""
    file = store_path / name
    whole = file.read_bytes()
    if harm is None:
        file.unlink()
    else:
        file.write_bytes(harm(whole))
    assert [d.path for d in Store.open(store_path).verify()] == [name]
    with pytest.raises(InputError, match="repair"):
        run(tiny, store_path)
    assert Store.open(store_path).repair(data_of(tiny)) == ()
    assert file.read_bytes() == whole
    assert Store.open(store_path).verify() == []
    assert equal(store_path, finished)


def test_a_store_whose_root_and_copy_are_both_damaged_is_refused(store_path):
    for name in ("zarr.json", ".lazyrich/root.json"):
        (store_path / name).write_text((store_path / name).read_text().replace('"softplus"', '"tanh"'))
    with pytest.raises(InputError, match="so is the copy"):
        Store.open(store_path)


def test_a_description_is_mended_to_the_byte(tiny, store_path):
    for name in ("one/zarr.json", "one/steps/zarr.json", "two/test_label/c/0", "two/root_h_alpha/c/0"):
        whole = (store_path / name).read_bytes()
        (store_path / name).write_bytes(whole[:-1])
        Store.open(store_path).repair(data_of(tiny))
        assert (store_path / name).read_bytes() == whole


def test_repair_refuses_other_data_than_the_store_was_made_from(tiny, store_path):
    (store_path / "one" / "test_label" / "c" / "0").unlink()
    with pytest.raises(InputError, match="made from other data"):
        Store.open(store_path).repair(data_of(tiny.changed(data_seed=1)))


def test_a_store_of_another_schema_version_is_refused_by_the_version_that_reads_it(store_path):
    for name in ("zarr.json", ".lazyrich/root.json"):
        text = (store_path / name).read_text()
        (store_path / name).write_text(text.replace('"schema_version": 2', '"schema_version": 9'))
    with pytest.raises(InputError, match="schema version 9, and this version of lazyrich reads 1 and 2") as caught:
        Store.open(store_path)
    assert "Use the version of lazyrich that wrote it (0." in caught.value.remedy


def test_a_store_of_the_first_schema_version_is_read_and_gone_on_with(tiny, finished, store_path):
    """Version 1 had no copy of the root, sealed the root's attributes only, and wrote no pending status."""
    as_version_1(store_path)
    task = campaign_tasks(tiny)[0]
    store = Store.open(store_path)
    (store_path / store.codecs[task.experiment].key(task, "status")).unlink()
    assert store.verify() == []
    assert store.pending() == (task,)
    run(tiny, store_path, workers=1)
    assert Store.open(store_path).pending() == ()
    for name in ("one", "two"):
        old, new = (xr.open_datatree(p, engine="zarr")[name].to_dataset() for p in (store_path, finished))
        xr.testing.assert_equal(old.drop_vars(NONDETERMINISTIC_VARIABLES), new.drop_vars(NONDETERMINISTIC_VARIABLES))


def as_version_1(path):
    shutil.rmtree(path / ".lazyrich")
    document = json.loads((path / "zarr.json").read_text())
    for name in ("one", "two"):
        file = path / name / "zarr.json"
        file.write_text(file.read_text().replace('"schema_version": 2', '"schema_version": 1'))
        document["attributes"]["manifest"][f"{name}/zarr.json"] = hashlib.sha256(file.read_bytes()).hexdigest()
        document["consolidated_metadata"]["metadata"][name]["attributes"]["schema_version"] = 1
    document["attributes"] |= {"schema_version": 1}
    del document["attributes"]["seal"], document["attributes"]["commit_records"]
    attributes = json.dumps(document["attributes"], sort_keys=True).encode()
    document["attributes"]["seal"] = hashlib.sha256(attributes).hexdigest()
    (path / "zarr.json").write_text(json.dumps(document))


def test_a_task_split_that_changes_between_versions_does_not_disturb_an_old_store(tiny, store_path, monkeypatch):
    """A store is cut as it was when it was made, whatever the rule is now."""
    monkeypatch.setattr("simulate.planning.tasks._NETWORKS_PER_TASK", 2)
    assert len(campaign_tasks(tiny)) == 12
    assert len(Store.open(store_path).tasks()) == 4
    assert Store.open(store_path).verify() == []


def test_reading_a_damaged_store_names_the_damage_and_the_remedy(store_path):
    chunk = store_path / "one" / "kernel_change" / "c" / "1" / "0" / "0"
    chunk.write_bytes(b"\x00" * 40)
    with pytest.raises(InputError, match="kernel_change/c/1/0/0") as caught, naming_damage(store_path):
        Store.open(store_path).tree()["one"]["kernel_change"].load()
    assert "repair" in caught.value.remedy


def test_a_task_that_was_not_committed_counts_for_nothing(tiny, store_path):
    """Its numbers may be there, half written even; without its status it is pending and verify does not mind."""
    store = Store.open(store_path)
    task = campaign_tasks(tiny)[0]
    store.mark_pending(task)
    (store_path / store.codecs[task.experiment].key(task, "kernel_change")).unlink()
    assert store.pending() == (task,)
    assert store.verify() == []


def test_a_deleted_status_is_damage_and_not_taken_for_pending(tiny, store_path):
    (store_path / "one" / "status" / "c" / "0" / "0" / "0").unlink()
    (found,) = Store.open(store_path).verify()
    assert (found.path, found.task.width) == ("one/status/c/0/0/0", 8)


def test_a_store_whose_making_was_killed_is_made_anew(tiny, tmp_path, monkeypatch):
    """At every one of its writes: none of them leaves something that the same command can't go on with."""
    written = []
    original = FolderBackend.write

    def counted(self, objects):
        written.append(list(objects))
        original(self, objects)

    monkeypatch.setattr(FolderBackend, "write", counted)
    Store.create(tmp_path / "whole", tiny, data_of(tiny), "cpu")
    for last in range(len(written)):
        calls = itertools.count()

        def dies(self, objects, last=last, calls=calls):
            if next(calls) == last:
                original(self, dict(list(objects.items())[: len(objects) // 2]))
                raise KeyboardInterrupt
            original(self, objects)

        path = tmp_path / str(last)
        monkeypatch.setattr(FolderBackend, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            Store.create(path, tiny, data_of(tiny), "cpu")
        monkeypatch.setattr(FolderBackend, "write", original)
        store = Store.create(path, tiny, data_of(tiny), "cpu")
        assert store.verify() == []
        assert store.pending() == campaign_tasks(tiny)


def one_result(tiny, finished):
    task = campaign_tasks(tiny)[0]
    return task, Store.open(finished).tree()[task.experiment].to_dataset().isel(width=[task.index]).load()


def test_a_full_disk_says_what_is_kept_and_the_next_run_goes_on(tiny, finished, tmp_path):
    """The operating system itself refuses: files may grow to 100 bytes only."""
    store = Store.create(tmp_path / "s", tiny, data_of(tiny), "cpu")
    task, result = one_result(tiny, finished)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(StoreError, match=r"File too large\. What was finished is kept"):
            store.write(task, result)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.pending() == campaign_tasks(tiny)
    assert store.verify() == []
    assert not list((tmp_path / "s").rglob("*.partial"))
    store.write(task, result)
    assert task not in store.pending()


@contextlib.contextmanager
def unprivileged():
    """Permissions do not stop root: be nobody for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_turns_read_only_during_a_run_ends_it_and_keeps_what_is_finished(tiny, finished, monkeypatch):
    # read before: nobody may be barred from the folder that scikit-learn is installed in
    data = data_of(tiny)
    monkeypatch.setattr("simulate.running.runner.load_data", lambda experiment, *_, **__: data[experiment.name])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        path = Path(folder, "s")
        with unprivileged():
            done = []

            def compute(experiment, task, data, *, device):
                if len(done) == 2:
                    for status in path.glob("*"):
                        status.chmod(0o555)
                    for variable in path.glob("*/*/**"):
                        variable.chmod(0o555)
                done.append(task)
                return run_task(experiment, task, data, device=device)

            with pytest.raises(StoreError, match=r"Permission denied\. What was finished is kept"):
                run(tiny, path, workers=1, compute=compute)
            store = Store.open(path)
            assert store.pending() == campaign_tasks(tiny)[2:]
            assert store.verify() == []
            closed = Path(folder, "closed")
            closed.mkdir(mode=0o555)
            with pytest.raises(InputError, match=r"can't be written \(Permission denied\)"):
                run(tiny, closed / "new")
            for variable in [*path.glob("*"), *path.glob("*/*/**")]:
                variable.chmod(0o755)
            run(tiny, path, workers=1)
        assert equal(path, finished)


def test_a_store_that_may_not_be_read_is_told_so(store_path):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = shutil.copytree(store_path, Path(folder, "s"))
        (path / "zarr.json").chmod(0)
        with unprivileged(), pytest.raises(InputError, match=r"can't be read \(Permission denied\)"):
            Store.open(path)


def test_the_integrator_is_recorded_with_each_experiment(finished):
    tree = Store.open(finished).tree()
    assert {tree[name].attrs["integrator"] for name in ("one", "two")} == {"rosenbrock"}


def test_checkpoints_make_variables_of_their_own_and_only_then(tiny, finished, tmp_path):
    assert "time" not in Store.open(finished).tree()["one"]
    store = run(tiny.changed(checkpoints=1), tmp_path / "s.zarr", workers=1).store
    one = store.tree()["one"].to_dataset()
    assert one["preactivation_velocity"].dims == ("width", "root_h_alpha", "seed", "checkpoint", "layer")
    np.testing.assert_allclose(one["checkpoint"], 10.0 ** np.arange(-3, 5))
    assert np.isfinite(one["loss"].isel(checkpoint=0)).all()
    assert store.verify() == []


def test_arms_make_a_dimension_with_names_and_only_then(tiny, finished, tmp_path):
    assert "arm" not in Store.open(finished).tree()["one"].dims
    names = ("network", "initial_kernel", "final_kernel", "initial_features", "final_features")
    # eight neurons' features can't fit twenty points: those arms go on until they are told to stop
    store = run(tiny.changed(arms=names, max_steps=300), tmp_path / "s.zarr", workers=1).store
    one = store.tree()["one"].to_dataset()
    assert tuple(one["arm"].values) == names
    assert one["test_error"].dims == ("width", "root_h_alpha", "seed", "arm")
    assert (one["arm_status"].sel(arm=["network", "initial_kernel", "final_kernel"]) == Status.CONVERGED).all()
    assert (one["arm_distance"].sel(arm="network") == 0).all()
    plain = Store.open(finished).tree()["one"].to_dataset()
    np.testing.assert_array_equal(one["test_error"].sel(arm="network"), plain["test_error"])
    assert store.verify() == []


def test_a_store_goes_on_with_the_integrator_that_it_was_begun_with(tiny, finished, store_path, monkeypatch):
    """The rule of the choice may be another in a later version: from how many points on the kernel flow is taken."""
    whole = Store.open(finished).tree()["one"].to_dataset()
    assert whole.attrs["integrator"] == "rosenbrock"
    Store.open(store_path).mark_pending(*Store.open(store_path).tasks()[:2])
    monkeypatch.setattr("simulate.planning.integrator_choice.KERNEL_FLOW_POINTS", 10)
    assert {integrator_of(one) for one in tiny.experiment} == {"kernel_flow"}
    again = run(tiny, store_path, workers=1).store.tree()["one"].to_dataset()
    assert again.attrs["integrator"] == "rosenbrock"
    xr.testing.assert_equal(again.gradient_evaluations, whole.gradient_evaluations)
    np.testing.assert_allclose(again.kernel_change, whole.kernel_change, rtol=1e-9)
    network = "experiment=one,width=8,root_h_alpha=0.1,seed=0"
    assert all(found.agrees for found in reproduce(store_path, network))
    larger = tiny.changed(seeds=4)
    with pytest.raises(InputError, match="kernel_flow, and the store's networks were made with rosenbrock"):
        run(larger, store_path, workers=1, grow=True)
