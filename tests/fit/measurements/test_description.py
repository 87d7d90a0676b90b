"""What a source says of its networks has its type, whatever wrote it; silently wrong laws would follow otherwise."""

import json

import numpy as np
import pytest
import xarray as xr

from fit.measurements.description import checked_description
from fit.measurements.reading import measurements
from lazyrich.errors import InputError


def grid(**attributes):
    axes = {"width": [8, 16], "root_h_alpha": [0.1, 1.0], "seed": [0, 1]}
    return xr.Dataset({"kernel_change": (tuple(axes), np.ones((2, 2, 2)))}, axes, attributes)


@pytest.mark.parametrize("depth", [3, 3.0, "3", "3.0", " 3 ", np.int8(3), np.float32(3)])
def test_a_depth_is_a_whole_number_however_it_is_written(depth):
    (one,) = measurements(grid(depth=depth, activation="relu"))
    assert one.depth == 3
    assert type(one.depth) is int


@pytest.mark.parametrize("depth", ["x", 2.5, "2.5", 0, -1, True, [1, 2], 10**400, np.inf, "9" * 5000, {"a": 1}])
def test_another_depth_is_refused_and_not_rounded(depth):
    with pytest.raises(InputError, match="is no whole number from 1 to 1000") as caught:
        measurements(grid(depth=depth, activation="relu"))
    assert caught.value.field == "experiment: depth"


@pytest.mark.parametrize(
    ("value", "switch"), [(True, True), ("False", False), (0, False), (1.0, True), (np.bool_(True), True)]
)
def test_a_switch_is_true_or_false_however_it_is_written(value, switch):
    assert checked_description({"normalise": value}, "e") == {"normalise": switch}


@pytest.mark.parametrize("value", ["maybe", 2, [1], {"a": 1}, ""])
def test_another_switch_is_refused_and_not_taken_for_true(value):
    with pytest.raises(InputError, match="is neither true nor false"):
        measurements(grid(normalise=value, depth=3, activation="relu"))


@pytest.mark.parametrize(
    "field",
    [
        {"activation": 3}, {"activation": ["relu"]}, {"activation": "re\nlu"}, {"bias": "x"}, {"bias": float("inf")},
        {"dynamics": {"name": 1}}, {"architecture": {}}, {"dataset": 7}, {"n_train": "many"}, {"pca": -1},
        {"data_seed": 0.5}, {"subtract_initial": "maybe"},
    ],
    ids=str,
)  # fmt: skip
def test_every_field_that_is_looked_at_is_checked_in_the_attribute_of_a_file(field, tmp_path):
    grid(experiment=json.dumps(field)).to_netcdf(tmp_path / "d.nc", engine="scipy")
    with pytest.raises(InputError) as caught:
        measurements(tmp_path / "d.nc")
    assert caught.value.field == f"d: {next(iter(field))}"


def test_missing_values_say_nothing():
    assert checked_description({"depth": None, "activation": float("nan"), "pca": None}, "e") == {}


@pytest.mark.parametrize("name", [["a"], "", " ", "a\nb", "\ud800", "x" * 201, True, {}])
def test_a_name_is_a_line_of_text(name):
    with pytest.raises(InputError, match="name"):
        measurements(grid(experiment=json.dumps({"name": name})))


def test_a_column_of_wrong_values_is_refused_as_the_attribute_is(tmp_path):
    (tmp_path / "t.csv").write_text("width,root_h_alpha,seed,kernel_change,activation,depth\n8,1,0,2,relu,2.5\n")
    with pytest.raises(InputError, match="is no whole number"):
        measurements(tmp_path / "t.csv")
