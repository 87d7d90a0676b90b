"""The computed test error of any width and ensemble: outputs that have the computed distribution, and others."""

import functools
import json

import numpy as np
import pytest
import xarray as xr

from fit import assess
from simulate import Experiment
from simulate.data import load_data
from theory.curves import lazy_prediction

WIDTHS, SEEDS = (16, 32, 64), 24
DESCRIPTION = {
    "name": "x", "dataset": "sphere", "n_train": 16, "n_test": 300, "depth": 1, "activation": "relu",
    "widths": WIDTHS, "root_h_alpha": [1e3, 1e4], "seeds": SEEDS,
}  # fmt: skip


@functools.cache
def computed():
    data = load_data(Experiment(**DESCRIPTION))
    return data, lazy_prediction("relu", 1, data.x_train, data.y_train, data.x_test, samples=1500, seed=7)


def campaign(spread=1.0, shift=0.0, narrowest=None, **changed):
    """Outputs f + spread·(C/h)^(1/2)·noise, the noise shared by both amplitudes."""
    data, prediction = computed()
    rng = np.random.default_rng(0)
    deviation = spread * np.sqrt(prediction.variance / np.array(WIDTHS)[:, None, None, None])
    noise = rng.standard_normal((len(WIDTHS), 1, SEEDS, len(prediction.output)))
    output = prediction.output + shift * data.y_test + deviation * noise
    output = np.broadcast_to(output, (len(WIDTHS), 2, *output.shape[2:])).astype(np.float32)
    axes = ("width", "root_h_alpha", "seed", "test_point")
    result = xr.Dataset(
        {"test_output": (axes, output)},
        coords={"width": list(WIDTHS), "root_h_alpha": [1e3, 1e4], "seed": np.arange(SEEDS),
                "test_label": ("test_point", data.y_test)},
    )  # fmt: skip
    result.attrs = {
        "experiment": json.dumps(DESCRIPTION | changed),
        "data": json.dumps({"name": "sphere", "sha256": data.sha256}),
    }
    return result


def verdict(data):
    (found,) = [v for v in assess(data) if v.claim == "lazy_error"]
    return found


def test_outputs_of_the_computed_distribution_are_consistent():
    found = verdict(campaign())
    assert (found.verdict, found.predicted) == ("consistent", None)
    assert found.estimate == pytest.approx(1.0, abs=0.1)
    assert found.points.attrs["x"] == "neurons"
    # every width, and averages of 1, 2, 4 and 8 networks, against one curve of m·h
    assert sorted(set(found.points["neurons"].values)) == [16, 32, 64, 128, 256, 512]
    assert len(found.points["y"]) == 12


@pytest.mark.parametrize("changed", [{"spread": 0.0}, {"spread": 2.0}, {"shift": 0.3}])
def test_another_spread_or_another_limit_is_inconsistent(changed):
    assert verdict(campaign(**changed)).verdict == "inconsistent"


def test_networks_narrower_than_the_training_set_are_left_out():
    found = verdict(campaign(n_train=1000))
    assert (found.verdict, found.estimate) == ("inconclusive", None)
    assert "n_train = 1000" in found.reason


@pytest.mark.parametrize("missing", ["data", "bias"])
def test_without_the_data_or_for_other_networks_nothing_is_computed(missing):
    data = campaign(bias=0.1) if missing == "bias" else campaign()
    if missing == "data":
        del data.attrs["data"]
    found = verdict(data)
    assert (found.verdict, found.estimate) == ("inconclusive", None)
    assert "not computed" in found.reason.lower()
