"""The data of an experiment are read again where its source says which they were, and theory's curves are about it."""

import json

import pytest
import xarray as xr

from fit.measurements.measurements import Measurements
from fit.measurements.training_data import training_data
from simulate import Experiment, load_data

FIELDS = {
    "name": "small", "dataset": "digits", "n_train": 10, "n_test": 12, "depth": 1, "activation": "softplus",
    "widths": [8], "root_h_alpha": [1.0], "seeds": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def sha256():
    return load_data(Experiment(**FIELDS)).sha256


def measured(recorded, **changes):
    data = xr.Dataset(
        {"kernel_change": (("width", "root_h_alpha", "seed"), [[[1.0]]])},
        coords={"width": [8], "root_h_alpha": [1.0], "seed": [0]}, attrs={"data": recorded},
    )  # fmt: skip
    return Measurements(data, "small", description=FIELDS | changes)


@pytest.mark.parametrize("write", [dict, json.dumps])
def test_they_are_recognised_by_their_checksum_whether_nested_or_as_text(sha256, write):
    experiment, data = training_data(measured(write({"sha256": sha256})))
    assert data.sha256 == sha256
    assert (experiment.n_train, data.x_train.shape) == (10, (10, 64))


@pytest.mark.parametrize(
    "recorded", [None, "no JSON", {"name": "digits"}, {"sha256": "0" * 64}], ids=["none", "text", "name", "other"]
)
def test_other_data_or_none_are_not_taken_for_them(recorded):
    assert training_data(measured(recorded)) is None


@pytest.mark.parametrize("changes", [{"bias": 0.1}, {"subtract_initial": False}, {"architecture": "cnn"}])
def test_curves_are_not_about_networks_with_bias_f0_or_convolutions(changes):
    sha256 = load_data(Experiment(**FIELDS | changes)).sha256
    assert training_data(measured({"sha256": sha256}, **changes)) is None


@pytest.mark.parametrize("changes", [{"dataset": "nosuch"}, {"dataset": "mnist"}, {"widths": []}])
def test_an_experiment_that_can_not_be_read_has_none(sha256, changes, monkeypatch):
    monkeypatch.delenv("LAZYRICH_DATA", raising=False)
    assert training_data(measured({"sha256": sha256}, **changes)) is None
