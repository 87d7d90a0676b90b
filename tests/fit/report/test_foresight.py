"""Before anything is trained: which laws a grid can't decide, by the very measures that would refuse the data."""

import pytest

from fit.report.foresight import stand_in_measurements, undecidable_laws
from simulate import Campaign

GRID = {
    "name": "softplus-L2", "dataset": "fashion_mnist", "n_train": 30, "n_test": 200, "depth": 2,
    "activation": "softplus", "widths": [32, 64, 128, 256, 512], "seeds": 10,
    "root_h_alpha": {"start": 1e-4, "stop": 1e5, "per_decade": 3},
    "arms": ["network", "initial_kernel", "final_kernel"],
}  # fmt: skip


def undecidable(*changes):
    experiments = [{**GRID, "name": f"e{i}", **change} for i, change in enumerate(changes)]
    return undecidable_laws(Campaign.from_dict({"name": "made up", "experiment": experiments}))


def test_a_grid_with_enough_of_everything_lacks_a_second_depth_alone():
    assert undecidable({}) == {"1 depth of 2": ["Exponent a against depth, feature regime"]}
    assert undecidable({}, {"depth": 3}) == {}


def test_powers_of_the_width_need_widths():
    told = undecidable({"widths": [64, 128]}, {"widths": [64, 128], "depth": 3})
    assert "End of lazy training: α* (power of h)" in told["2 widths of 4"]
    assert not any("power of A)" in law for law in told["2 widths of 4"])


def test_windows_need_amplitudes():
    told = undecidable({"root_h_alpha": [1e-3, 1e-2, 1.0, 3.0, 10.0]})
    assert "Kernel change, feature regime (power of A)" in told["2 amplitudes of 3"]
    assert (
        "no amplitudes near 10⁻⁴ and 10⁴" not in told
    )  # which regime generalises better: nothing is claimed of digits


def test_what_one_experiment_can_decide_another_need_not():
    few, many = {"seeds": 2, "widths": [64]}, {}
    assert undecidable(few, many) == undecidable(many)


def test_laws_that_theory_does_not_claim_are_left_out():
    """Above degree one there is no mean-field limit: most laws of the feature regime are refused."""
    told = [law for laws in undecidable({"activation": "relu(z)**2", "widths": [64]}).values() for law in laws]
    assert not any("Kernel change as a power of the output" in law for law in told)
    assert any("lazy regime" in law for law in told)


@pytest.mark.parametrize("axis", ["root_h_alpha", "alpha"])
def test_what_is_made_up_has_the_campaigns_grid(axis):
    fields = {k: v for k, v in GRID.items() if k != "root_h_alpha"} | {axis: [0.1, 1.0], "arms": ["network"]}
    (one,) = Campaign.from_dict({"name": "one", "experiment": [fields]}).experiment
    measured = stand_in_measurements(one)
    assert measured.n_seeds == 10
    for i, width in enumerate(one.widths):
        assert measured.root_h_alpha.values[i].tolist() == one.root_h_alphas(width).tolist()
