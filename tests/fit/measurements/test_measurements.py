"""Every source opens as the same labelled measurements."""

import json

import numpy as np
import pytest
import xarray as xr
from synthetic_campaign import experiment, tree

from fit.measurements.measurements import Measurements
from fit.measurements.reading import measurements
from lazyrich.errors import InputError

SMALL = {"widths": (32, 64), "seeds": 3, "root_h_alpha": (0.01, 1.0, 100.0), "n_test": 4}


def test_a_store_a_tree_and_a_netcdf_file_hold_the_same(tmp_path):
    data = experiment(**SMALL)
    tree(data).to_zarr(tmp_path / "a.zarr", zarr_format=3, consolidated=False)
    data.to_netcdf(tmp_path / "a.nc", engine="scipy")
    opened = [measurements(source)[0] for source in (data, tree(data), str(tmp_path / "a.zarr"), tmp_path / "a.nc")]
    for one in opened:
        assert one.name == "softplus-L3"
        assert one.depth == 3
        np.testing.assert_array_equal(one.network("kernel_change"), opened[0].network("kernel_change"))
        np.testing.assert_array_equal(one.deviations, opened[0].deviations)


def test_a_table_with_one_row_per_network_is_enough(tmp_path):
    data = experiment(**SMALL)[["kernel_change", "time_linear"]]
    table = data.to_dataframe().reset_index().assign(experiment="mine", activation="relu", depth=2)
    table.to_csv(tmp_path / "mine.csv", index=False)
    (one,) = measurements(tmp_path / "mine.csv")
    assert (one.name, one.activation, one.depth) == ("mine", "relu", 2)
    np.testing.assert_allclose(one.network("time_linear"), data["time_linear"].values, rtol=1e-12)  # decimal text


def test_text_among_numbers_is_refused_and_other_columns_of_text_are_left_out(tmp_path):
    head = "width,root_h_alpha,seed,kernel_change,note\n"
    (tmp_path / "good.csv").write_text(head + "32,1,0,0.5,first\n32,1,1,,second\n")
    (one,) = measurements(tmp_path / "good.csv")
    assert "note" not in one.data
    np.testing.assert_array_equal(one.network("kernel_change").values.ravel(), [0.5, np.nan])
    for row, said in (
        ("32,1,1,big,", "kernel_change, row 2.*'big'.*is not a number"),
        ("32,x,1,1,", "root_h_alpha, row 2.*'x'"),
    ):
        (tmp_path / "bad.csv").write_text(head + "32,1,0,0.5,\n" + row + "\n")
        with pytest.raises(InputError, match=said):
            measurements(tmp_path / "bad.csv")


def test_a_campaign_laid_out_in_alpha_knows_its_amplitudes():
    data = experiment(**SMALL).rename(root_h_alpha="alpha")
    (one,) = measurements(data)
    assert not one.on_common_amplitudes
    np.testing.assert_allclose(one.root_h_alpha, np.sqrt([[32], [64]]) * [0.01, 1.0, 100.0])


def test_the_order_of_labels_does_not_matter():
    data = experiment(**SMALL)
    shuffled = data.isel(width=[1, 0], root_h_alpha=[2, 0, 1]).transpose("seed", ...)
    np.testing.assert_array_equal(
        measurements(shuffled)[0].network("kernel_change"), measurements(data)[0].network("kernel_change")
    )


def test_networks_that_did_not_converge_are_counted_and_not_used():
    data = experiment(**SMALL)
    data["status"][0, 0, 0] = 3
    (one,) = measurements(data)
    assert np.isnan(one.network("kernel_change")[0, 0, 0])
    assert np.isnan(one.deviations[0, 0, 0])
    assert one.left_out(one.root_h_alpha > 0) == {
        "the flow came to rest, or its step size fell below the resolution of the time": 1
    }


def test_weight_matrices_add_in_quadrature():
    data = experiment(**SMALL)
    data["weight_change"][:] = 3.0
    np.testing.assert_allclose(measurements(data)[0].network("weight_change"), 6.0)  # sqrt(4 · 3²)


def test_deviations_are_those_from_the_mean_of_converged_seeds():
    data = experiment(**(SMALL | {"seeds": 5}))
    data["status"][0, 1, 4] = 2
    output = data["test_output"].values[0, 1, :4].astype(float)
    expected = ((output - output.mean(0)) ** 2).mean(-1)
    np.testing.assert_allclose(measurements(data)[0].deviations[0, 1, :4], expected, rtol=1e-12)  # rounding


def test_the_same_experiment_twice_is_refused_naming_both(tmp_path):
    data = experiment(**SMALL)
    for name in "ab":
        tree(data).to_zarr(tmp_path / f"{name}.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(InputError, match=r"b\.zarr.*'softplus-L3' is also in .*a\.zarr"):
        measurements([tmp_path / "a.zarr", tmp_path / "b.zarr"])


def test_what_is_no_source_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.csv").write_text("x,y\n1,2\n")
    (tmp_path / "text.nc").write_text("no netCDF")
    twice = "width,root_h_alpha,seed,kernel_change\n32,1,0,2\n32,1,0,3\n"
    (tmp_path / "twice.csv").write_text(twice)
    for name, said in (
        ("absent.zarr", "no such file"),
        ("empty", "can't be read"),
        ("other.csv", "its columns are x, y"),
        ("text.nc", "can't be read"),
        ("twice.csv", "twice"),
    ):
        with pytest.raises(InputError, match=said):
            measurements(tmp_path / name)
    with pytest.raises(InputError, match="no experiment in it"):
        measurements(xr.DataTree())
    with pytest.raises(InputError, match="no dimension 'width'"):
        Measurements(xr.Dataset({"x": ("seed", [1.0])}), "odd")
    with pytest.raises(InputError, match="not all positive"):
        measurements(experiment(**SMALL).assign_coords(root_h_alpha=[-1.0, 1.0, 2.0]))
    broken = experiment(**SMALL).assign_attrs(experiment="{")
    with pytest.raises(InputError, match="it is not valid JSON"):
        measurements(broken)


def test_attributes_of_a_plain_dataset_describe_it():
    data = experiment(**SMALL)
    data.attrs = {"activation": "tanh", "depth": 2, "experiment": json.dumps({"name": "x"})}
    (one,) = measurements(data)
    assert (one.activation, one.depth) == ("tanh", 2)


def test_a_netcdf_file_with_groups_is_read_as_the_tree_of_it(tmp_path):
    """What `export` writes: experiments in groups of a netCDF-4 file; also one experiment without a group."""
    both = tree(experiment(name="a", seeds=6), experiment(name="b", seeds=6))
    both.to_netcdf(tmp_path / "two.nc", engine="h5netcdf")
    read = measurements(tmp_path / "two.nc")
    assert [one.name for one in read] == ["a", "b"]
    for one, other in zip(read, measurements(both), strict=True):
        xr.testing.assert_equal(one.data.load(), other.data.load())
        assert one.description == other.description
    experiment(name="a", seeds=6).to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    (alone,) = measurements(tmp_path / "one.nc")
    xr.testing.assert_equal(alone.data.load(), read[0].data.load())
