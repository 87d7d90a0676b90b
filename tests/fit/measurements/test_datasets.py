"""Measurements from labelled sources: what describes them, and netCDF files of three shapes."""

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import experiment, tree

from fit.measurements import datasets, dialects
from fit.measurements.datasets import from_dataset, from_netcdf, from_tree
from lazyrich.errors import InputError


def test_a_description_is_json_or_attributes_of_their_own():
    data = experiment(seeds=2)
    assert from_dataset(data, None, "other").name == "softplus-L3"
    data.attrs = {"activation": "relu", "depth": 2}
    measured = from_dataset(data, None, "other")
    assert (measured.name, measured.activation, measured.depth) == ("other", "relu", 2)


@pytest.mark.parametrize(
    ("recorded", "problem"), [("{", "it is not valid JSON"), ("[1]", "it is not a table of fields")]
)
def test_a_description_that_is_none_is_refused(recorded, problem):
    data = experiment(seeds=2)
    data.attrs["experiment"] = recorded
    with pytest.raises(InputError, match=problem):
        from_dataset(data, None, "mine")


def test_experiments_are_the_nodes_with_seeds_dated_as_the_root():
    whole = tree(experiment("b", seeds=2), experiment("a", seeds=2))
    whole["notes"] = xr.DataTree(xr.Dataset({"x": 1.0}))
    whole.attrs["created"] = "2026-01-02"
    found = from_tree(whole, "s.zarr")
    assert [m.name for m in found] == ["a", "b"]
    assert {m.data.attrs["created"] for m in found} == {"2026-01-02"}


def test_a_table_in_netcdf_is_one_row_a_network(tmp_path):
    flat = experiment(seeds=2, widths=(32, 64))[["kernel_change"]].to_dataframe().reset_index()
    xr.Dataset.from_dataframe(flat).assign_attrs(activation="softplus", depth=3).to_netcdf(
        tmp_path / "rows.nc", engine="scipy"
    )
    (measured,) = from_netcdf(tmp_path / "rows.nc")
    assert (measured.name, measured.depth, measured.widths.tolist()) == ("rows", 3, [32.0, 64.0])


def test_what_a_decoder_raises_is_said_as_a_bad_value(tmp_path):
    (tmp_path / "cut.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 40)
    with pytest.raises((ValueError, OSError)):
        from_netcdf(tmp_path / "cut.nc")


@pytest.mark.parametrize(("engine", "format"), [("h5netcdf", "NETCDF4"), ("scipy", "NETCDF3_64BIT")])
def test_a_file_of_too_many_variables_is_refused_before_xarray_opens_it(tmp_path, monkeypatch, engine, format):
    monkeypatch.setattr(dialects, "MOST_COLUMNS", 30)
    monkeypatch.setattr(datasets, "MOST_COLUMNS", 30)
    path = tmp_path / "a.nc"
    columns = {f"v{number}": ("row", np.zeros(2)) for number in range(40)}
    xr.Dataset(columns).to_netcdf(path, engine=engine, format=format)
    monkeypatch.setattr(datasets.xr, "open_dataset", lambda *arguments, **options: pytest.fail("it was opened"))
    monkeypatch.setattr(datasets.xr, "open_datatree", lambda *arguments, **options: pytest.fail("it was opened"))
    with pytest.raises(InputError, match="it has more than 30 variables"):
        from_netcdf(path)
