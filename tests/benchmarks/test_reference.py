"""The small files of reference runs say what the store says."""

import numpy as np
import pytest
import xarray as xr

from benchmarks.reference import LIMIT, small
from fit import assess
from simulate import Campaign, run


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "store.zarr"
    fields = {
        "name": "softplus", "dataset": "digits", "n_train": 20, "n_test": 30, "depth": 1, "activation": "softplus",
        "widths": [64, 128], "root_h_alpha": [1e-3, 1e-2, 1.0, 10.0, 1e3], "seeds": 3, "tolerance": 0.05,
        "checkpoints": [1.0, 10.0],
    }  # fmt: skip
    run(Campaign.from_dict({"name": "t", "experiment": [fields]}), path, workers=1)
    return path


def test_verdicts_of_the_small_file_are_those_of_the_store(store, tmp_path):
    with xr.open_datatree(store, engine="zarr") as tree:
        small(tree["softplus"].to_dataset()).to_netcdf(tmp_path / "softplus.nc", engine="scipy")
    whole, kept = assess(store), assess(tmp_path / "softplus.nc")
    assert [(v.claim, v.regime, v.variable, v.verdict) for v in kept] == [
        (v.claim, v.regime, v.variable, v.verdict) for v in whole
    ]
    measured = [v for v in whole if v.estimate is not None]
    assert measured
    for a, b in zip(whole, kept, strict=True):
        if a.estimate is not None:
            # seven digits are kept of values; slopes over a decade and more keep five of them
            assert b.estimate == pytest.approx(a.estimate, abs=1e-5)


def test_outputs_are_cut_to_the_limit_and_coordinates_are_not_rounded():
    n = 2 * LIMIT // (4 * 2 * 2 * 5)
    data = xr.Dataset(
        {
            "status": (("width", "root_h_alpha", "seed"), np.ones((2, 2, 5), dtype="int8")),
            "kernel_change": (("width", "root_h_alpha", "seed"), np.ones((2, 2, 5))),
            "test_output": (("width", "root_h_alpha", "seed", "test_point"), np.ones((2, 2, 5, n), dtype="float32")),
        },
        {"width": [8, 16], "root_h_alpha": [1e-4, 2.154434690031884e-4]},
        {"campaign": {"name": "t"}},
    )
    kept = small(data)
    assert kept["test_output"].nbytes <= LIMIT < data["test_output"].nbytes
    assert kept["kernel_change"].dtype == np.float32
    assert kept["root_h_alpha"].dtype == np.float64
    assert kept.attrs["campaign"] == '{"name": "t"}'
