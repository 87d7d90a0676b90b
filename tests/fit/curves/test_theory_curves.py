"""Curves of theory for an experiment's own data: where they are drawn, and where not."""

import dataclasses

import numpy as np
import pytest

from fit.curves.theory_curves import LAZY_FROM, mean_field_key, theory_curves
from fit.measurements.reading import measurements
from simulate import Campaign, run
from simulate.data import load_data

EXPERIMENT = {
    "name": "small", "dataset": "digits", "n_train": 10, "n_test": 12, "activation": "softplus", "depth": 2,
    "widths": [8, 16], "root_h_alpha": [1.0, 1000.0, 10000.0], "seeds": 2, "tolerance": 3e-2,
}  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    store = tmp_path_factory.mktemp("curves") / "store.zarr"
    run(Campaign.from_dict({"name": "curves", "experiment": [EXPERIMENT]}), store, workers=1)
    return measurements(store)[0]


def test_each_networks_own_linearisation_is_its_kernel_change_deep_in_the_lazy_regime(measured):
    (curve,) = theory_curves([measured])
    assert (curve.quantity, curve.root_h_alpha.tolist()) == ("kernel_change", [1000.0, 10000.0])
    assert curve.root_h_alpha.min() > LAZY_FROM
    widest = measured.network("kernel_change").isel(width=-1, amplitude=[1, 2]).transpose("seed", "amplitude").values
    np.testing.assert_allclose(widest[:, 1], curve.networks[:, 1], rtol=0.02)  # the integrator's tolerance is 3 %
    np.testing.assert_allclose(curve.value, np.sqrt(np.mean(curve.networks**2, axis=0)), rtol=1e-12)


def test_other_data_a_bias_or_no_record_of_the_data_have_no_curve(measured):
    for changes in ({"bias": 0.1}, {"n_train": 12}):
        assert theory_curves([dataclasses.replace(measured, description=measured.description | changes)]) == []
    unrecorded = dataclasses.replace(measured, data=measured.data.assign_attrs(data=None))
    assert theory_curves([unrecorded]) == []


def test_a_mean_field_curve_is_stored_by_what_it_depends_on():
    experiment = Campaign.from_dict({"name": "c", "experiment": [EXPERIMENT]}).experiment[0]
    data = load_data(experiment)
    key = mean_field_key(experiment, data)
    assert mean_field_key(experiment.model_copy(update={"seeds": 9, "widths": (4,)}), data) == key
    assert mean_field_key(experiment.model_copy(update={"loss": "square"}), data) != key
