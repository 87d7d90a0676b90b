"""What a store is exported to: a table and a file with a group an experiment, with every number."""

import os
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from lazyrich.errors import InputError
from simulate import Status, Store
from simulate.store.creation import exclusive_lock
from simulate.store.export import export


def test_a_table_and_a_group_an_experiment(finished, tmp_path):
    store = Store.open(finished)
    assert export(store, tmp_path / "t.csv") == [tmp_path / "t.csv"]
    assert export(store, tmp_path / "t.nc") == [tmp_path / "t.nc"]
    table = pd.read_csv(tmp_path / "t.csv")
    assert set(table["experiment"]) == {"one", "two"}
    assert (table.groupby("experiment")["depth"].first() == [1, 2]).all()
    assert set(table["status"]) <= {status.name.lower() for status in Status}
    assert "converged" in set(table["status"])
    # what decides which laws are about these networks
    assert (set(table["dynamics"]), set(table["bias"]), set(table["subtract_initial"])) == (
        {"gradient_flow"},
        {0.0},
        {True},
    )
    assert {"dataset", "architecture", "normalise", "pca"} <= set(table)


def test_a_group_holds_every_number_and_is_compressed(finished, tmp_path):
    store = Store.open(finished)
    export(store, tmp_path / "t.nc")
    with xr.open_datatree(tmp_path / "t.nc") as written:
        assert set(written.children) == {"one", "two"}
        for name in written.children:
            xr.testing.assert_equal(written[name].to_dataset().load(), store.tree()[name].to_dataset().load())
            assert written[name]["test_output"].encoding["zlib"]


@pytest.mark.parametrize("name", ["t.csv", "t.nc"])
def test_an_export_that_fails_leaves_the_file_before_it_and_nothing_else(finished, name, tmp_path, monkeypatch):
    """As one that is interrupted, or runs into a full disk; two at once replace each other's files whole."""
    (path,) = export(Store.open(finished), tmp_path / name)
    before = path.read_bytes()

    def half(data, out, **_):
        Path(out).write_bytes(before[: len(before) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    monkeypatch.setattr(xr.DataTree, "to_netcdf", half)
    with pytest.raises(InputError, match="No space left on device"):
        export(Store.open(finished), tmp_path / name)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="the system has no such device")
def test_a_device_is_not_replaced_by_an_export(finished, tmp_path):
    (tmp_path / "null.csv").symlink_to("/dev/null")
    with pytest.raises(InputError, match="it is no file"):
        export(Store.open(finished), tmp_path / "null.csv")


def test_a_store_is_not_written_into(finished, tmp_path):
    """As a link that an export follows would have it: the root of the store, replaced by a table."""
    (tmp_path / "link.csv").symlink_to(finished / "zarr.json")
    before = (finished / "zarr.json").read_bytes()
    for path in (finished / "table.csv", tmp_path / "link.csv"):
        with pytest.raises(InputError, match="inside of the store"):
            export(Store.open(finished), path)
    assert (finished / "zarr.json").read_bytes() == before
    assert not (finished / "table.csv").exists()
    with pytest.raises(InputError, match="inside of the store"), exclusive_lock(finished / "e" / "new.zarr"):
        pass
    assert not (finished / "e" / "new.zarr").exists()


@pytest.mark.parametrize("path", ["", "a\0.csv", "x.parquet", "none/t.csv", "~"])
def test_what_can_not_be_written_is_refused(finished, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        export(Store.open(finished), path)
    assert caught.value.field == "out"
    assert not list(tmp_path.iterdir())
