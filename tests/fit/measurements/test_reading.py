"""Any source becomes measurements, or is refused by name."""

import pytest
import xarray as xr
from synthetic_campaign import experiment, tree

from fit.measurements.reading import measurements
from lazyrich.errors import InputError


def test_every_kind_of_source_holds_the_same(tmp_path):
    data = experiment(seeds=2, widths=(32,))
    data.to_netcdf(tmp_path / "one.nc", engine="scipy")
    flat = data[["kernel_change"]].to_dataframe().reset_index()
    flat.to_csv(tmp_path / "one.csv", index=False)
    sources = [data, tree(data), tmp_path / "one.nc", str(tmp_path / "one.csv"), flat, measurements(data)[0]]
    for source in sources:
        (measured,) = measurements(source)
        xr.testing.assert_allclose(
            measured.network("kernel_change").drop_vars("seed"),
            measurements(data)[0].network("kernel_change").drop_vars("seed"),
        )


def test_sources_together_keep_their_order():
    names = [m.name for m in measurements([experiment("b", seeds=2), tree(experiment("a", seeds=2))])]
    assert names == ["b", "a"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [("no/such/place.zarr", "there is no such file or folder"), ([], "there is no experiment in it")],
    ids=["no file", "no source"],
)
def test_nothing_is_refused(source, problem):
    with pytest.raises(InputError) as error:
        measurements(source)
    assert error.value.problem == problem
