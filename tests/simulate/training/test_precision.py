"""Single precision where it is enough, and no lower precision behind the caller's back."""

import numpy as np
import pytest
import torch
import xarray as xr

from simulate import Campaign, Experiment, load_data, run, run_task
from simulate.planning.operations import operations
from simulate.planning.tasks import Task
from simulate.running.reproduce import ROUNDING, reproduce
from simulate.training.precision import full_precision, without_denormals
from simulate.training.status import Status


def test_tf32_and_bfloat16_products_are_off_while_networks_are_trained_and_as_before_afterwards():
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.allow_tf32 = True
    try:
        with full_precision():
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cuda.matmul.allow_tf32
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_denormal_numbers_are_zero_only_while_networks_are_trained_in_single_precision(dtype):
    small = torch.full((64,), 1e-40, dtype=torch.float32)
    with without_denormals(dtype):
        assert (small * 0.5 == 0.0).all() == (dtype == torch.float32)
    assert (small * 0.5 > 0.0).all()


FIELDS = {
    "name": "test", "dataset": "digits", "n_train": 40, "n_test": 40, "depth": 1, "activation": "softplus",
    "widths": [64], "root_h_alpha": [1e-3, 1.0, 1e3], "seeds": 2,
}  # fmt: skip


@pytest.mark.parametrize(("activation", "depth"), [("softplus", 1), ("softplus", 3), ("relu", 3)])
def test_single_precision_is_enough_from_a_thousandth_to_a_thousand(activation, depth):
    """Differences stay below the integration error of the default tolerance (half a percent of F, a percent of times).

    With kinks, which units cross in another order, a percent of all: the order depends on last bits, hence on threads.

    alpha is 125 at the largest A: rounding of f at 1e-7 is then 1e-5 of F. See python -m benchmarks.precision.
    """
    double, single = (
        run_task(spec, Task("test", 0, 64, 0, 2), load_data(spec))
        for dtype in ("float64", "float32")
        for spec in [Experiment(**(FIELDS | {"activation": activation, "depth": depth, "dtype": dtype}))]
    )
    assert (double.status == Status.CONVERGED).all()
    assert (single.status == Status.CONVERGED).all()
    allowed = 1e-2 if activation == "relu" else 5e-3
    for name in ("kernel_change", "weight_change", "time_half", "time_linear"):
        np.testing.assert_allclose(single[name], double[name], rtol=allowed, err_msg=name)
    np.testing.assert_allclose(single.time_end, double.time_end, rtol=1e-2)
    error = np.linalg.norm(single.test_output - double.test_output, axis=-1)
    assert (error < allowed * np.linalg.norm(double.test_output, axis=-1)).all()


def test_a_campaign_in_single_precision_gives_the_store_of_one_in_double_precision(tmp_path):
    stores = []
    for dtype in ("float64", "float32"):
        experiments = [
            FIELDS | {"name": "fc", "dtype": dtype},
            FIELDS | {"name": "cnn", "dtype": dtype, "architecture": "cnn", "widths": [8]},
        ]
        outcome = run(Campaign.from_dict({"name": dtype, "experiment": experiments}), tmp_path / dtype, workers=1)
        assert outcome.failed_numerics == 0
        stores.append(xr.open_datatree(tmp_path / dtype, engine="zarr"))
    double, single = stores
    for name in ("fc", "cnn"):
        assert single[name].attrs["dtype"] == "float32"
        assert (single[name]["status"].values == double[name]["status"].values).all()
        # half a percent, of F for each of its values of order one
        for variable, absolute in (("kernel_change", 0.0), ("time_half", 0.0), ("test_output", 5e-3)):
            ours, theirs = single[name][variable].values, double[name][variable].values
            np.testing.assert_allclose(ours, theirs, rtol=5e-3, atol=absolute, err_msg=f"{name} {variable}")


def test_mixed_precision_is_single_up_to_alpha_100_and_double_beyond_and_each_batch_has_one(monkeypatch):
    """The networks are bitwise those of experiments in one precision, of the same amplitudes."""
    amplitudes = [1e-2, 800.0, 800.1, 1e5]  # alpha = A/8: 100 is the last in single precision
    found = {}
    for dtype, own in (("mixed", amplitudes), ("float32", amplitudes[:2]), ("float64", amplitudes[2:])):
        spec = Experiment(**(FIELDS | {"root_h_alpha": own, "dtype": dtype, "widths": [64]}))
        monkeypatch.setattr("simulate.measure.engine.batch_limit", lambda *_: 3)
        found[dtype] = run_task(spec, Task("test", 0, 64, 0, 2), load_data(spec)).isel(width=0)
    assert found["mixed"].batch.values.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    apart = xr.concat([found["float32"], found["float64"]], "root_h_alpha")
    for name in ("kernel_change", "test_output", "time_end", "steps", "status"):
        np.testing.assert_array_equal(found["mixed"][name], apart[name], err_msg=name)


def test_a_network_of_a_mixed_experiment_costs_half_where_it_is_in_single_precision():
    def cost(dtype):
        return operations(Experiment(**(FIELDS | {"root_h_alpha": [1.0, 10.0, 100.0, 1e4], "dtype": dtype})), 64)

    assert cost("mixed") == pytest.approx(0.625 * cost("float64"))


def test_times_have_digits_for_steps_that_are_a_millionth_of_the_wait_before_them():
    """From a small amplitude networks wait, then grow in steps that float32 could not add to the time (stalled).

    Rounding at the start is amplified on that way, as any error of the integration is (docs/precision.md).
    """
    double, single = (
        run_task(spec, Task("test", 0, 64, 0, 2), load_data(spec))
        for dtype in ("float64", "float32")
        for spec in [Experiment(**(FIELDS | {"depth": 3, "root_h_alpha": [1e-9], "dtype": dtype}))]
    )
    assert (single.status == Status.CONVERGED).all()
    np.testing.assert_allclose(single.kernel_change, double.kernel_change, rtol=5e-2)
    np.testing.assert_allclose(single.time_half, double.time_half, rtol=0.1)


def test_a_network_of_a_mixed_campaign_is_reproduced_as_its_own_precision_allows(tmp_path):
    fields = FIELDS | {"root_h_alpha": [1.0, 1e4], "dtype": "mixed"}
    run(Campaign.from_dict({"name": "mixed", "experiment": [fields]}), tmp_path / "mixed", workers=1)
    for amplitude, allowed in ((1, 5e-3), (10000, ROUNDING)):  # the default tolerance in single precision
        compared = reproduce(tmp_path / "mixed", f"experiment=test,width=64,root_h_alpha={amplitude},seed=1")
        assert {c.allowed for c in compared if c.name == "kernel_change"} == {allowed}
        assert all(c.difference <= c.allowed for c in compared)
