"""What a store is exported to: a table and a file with a group an experiment, with every number."""

import pandas as pd
import pytest
import xarray as xr

from lazyrich.errors import InputError
from simulate import Status, Store
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


@pytest.mark.parametrize("path", ["", "a\0.csv", "x.parquet", "none/t.csv", "~"])
def test_what_can_not_be_written_is_refused(finished, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        export(Store.open(finished), path)
    assert caught.value.field == "out"
    assert not list(tmp_path.iterdir())
