"""What a store is exported to: files called after experiments, with every number."""

import pandas as pd
import pytest

from lazyrich.errors import InputError
from simulate import Store
from simulate.store.export import export


def test_a_table_and_a_file_an_experiment(finished, tmp_path):
    store = Store.open(finished)
    assert export(store, tmp_path / "t.csv") == [tmp_path / "t.csv"]
    assert export(store, tmp_path / "t.nc") == [tmp_path / "t-one.nc", tmp_path / "t-two.nc"]
    table = pd.read_csv(tmp_path / "t.csv")
    assert set(table["experiment"]) == {"one", "two"}
    assert (table.groupby("experiment")["depth"].first() == [1, 2]).all()


@pytest.mark.parametrize("path", ["", "a\0.csv", "x.parquet", "none/t.csv", "~"])
def test_what_can_not_be_written_is_refused(finished, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        export(Store.open(finished), path)
    assert caught.value.field == "out"
    assert not list(tmp_path.iterdir())
