"""One grid: its fields, its amplitudes, and what is refused of it."""

import math

import numpy as np
import pytest
from campaigns import campaign, experiment

from theory import InputError


def test_defaults_are_filled_in():
    one = experiment()
    assert (one.loss, one.dtype, one.base_seed, one.n_kernel, one.amplitude) == (
        "softhinge",
        "float64",
        0,
        60,
        "root_h_alpha",
    )


def test_a_range_gives_the_powers_of_ten_between_its_ends():
    one = experiment(root_h_alpha={"start": 1e-2, "stop": 10.0, "per_decade": 2})
    np.testing.assert_allclose(one.amplitudes, 10.0 ** (np.arange(-4, 3) / 2), rtol=1e-14)


def test_alpha_and_root_h_alpha_are_the_same_axis_read_two_ways():
    by_alpha = experiment(root_h_alpha=None, alpha=[0.1, 1.0])
    assert by_alpha.amplitude == "alpha"
    np.testing.assert_allclose(by_alpha.root_h_alphas(16), [0.4, 4.0])
    np.testing.assert_allclose(experiment().alphas(16), [0.025, 0.25])


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"widths": [-1]}, "experiment[0].widths[0]", "greater than or equal to 1"),
        ({"widths": [32, 16]}, "experiment[0].widths", "ascending"),
        ({"widths": [16, 16]}, "experiment[0].widths", "ascending"),
        ({"widths": []}, "experiment[0].widths", "at least 1"),
        ({"activation": "q*z"}, "experiment[0].activation", "symbol other than z"),
        ({"activation": "exp(z**2)"}, "experiment[0].activation", "no finite second moment"),
        ({"loss": "hinge"}, "experiment[0].loss", "chatters"),
        ({"loss": "nosuch"}, "experiment[0].loss", "no such loss"),
        ({"depth": 0}, "experiment[0].depth", "greater than or equal to 1"),
        ({"depth": None}, "experiment[0].depth", "no default"),
        ({"n_train": "many"}, "experiment[0].n_train", "integer"),
        ({"n_train": 10**40}, "experiment[0].n_train", "less than or equal to 1000000000000"),
        ({"n_test": 10**40}, "experiment[0].n_test", "less than or equal to 1000000000000"),
        ({"base_seed": 10**40}, "experiment[0].base_seed", "less than 9223372036854775808"),
        ({"widht": [16]}, "experiment[0].widht", "no such field"),
        ({"arms": ["final_kernel"]}, "experiment[0].arms", "the network, first"),
        ({"architecture": "nosuch"}, "experiment[0].architecture", "no such architecture"),
        ({"bias": -0.1}, "experiment[0].bias", "greater than or equal to 0"),
        ({"dtype": "float32", "root_h_alpha": [1e5]}, "experiment[0].dtype", "lose its digits at alpha = 2.5e+04"),
        ({"dtype": "float16"}, "experiment[0].dtype", "not supported"),
        ({"root_h_alpha": None}, "experiment[0].root_h_alpha", "given once"),
        ({"alpha": [1.0]}, "experiment[0].root_h_alpha", "given once"),
        ({"root_h_alpha": [0.0]}, "experiment[0].root_h_alpha[0]", "greater than 0"),
        ({"root_h_alpha": [math.nan]}, "experiment[0].root_h_alpha[0]", "finite"),
        ({"root_h_alpha": {"start": 1.0}}, "experiment[0].root_h_alpha", "start, stop and per_decade"),
        ({"root_h_alpha": {"start": 1.0, "stop": 0.1, "per_decade": 1}}, "experiment[0].root_h_alpha", "start <= stop"),
        ({"n_kernel": 61}, "experiment[0].n_kernel", "n_test = 60"),
        ({"unfitted": 0.04, "loss": "square"}, "experiment[0].unfitted", "ends at a mean loss"),
        ({"unfitted": 0.04, "arms": ["network", "final_kernel"]}, "experiment[0].unfitted", "arms are trained until"),
        ({"unfitted": 4}, "experiment[0].unfitted", "less than 1"),
        ({"seeds": 10**9}, "experiment[0].seeds", "networks"),
        ({"dynamics": {"name": "newton"}}, "experiment[0].dynamics.name", "no such dynamics"),
        ({"tolerance": 1.0}, "experiment[0].tolerance", "less than or equal to 0.1"),
        ({"seeds": True}, "experiment[0].seeds", "is true or false"),
        ({"widths": [True, 8]}, "experiment[0].widths", "is true or false"),
        ({"name": "../up"}, "experiment[0].name", "pattern"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_a_remedy(changes, field, problem):
    with pytest.raises(InputError) as caught:
        campaign(**changes)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert caught.value.remedy


@pytest.mark.parametrize("wrong", [0, 21, [], [1.0, 1.0], [2.0, 1.0], [-1.0], "often"])
def test_checkpoints_are_a_number_or_ascending_times(wrong):
    with pytest.raises(InputError, match=r"experiment\[0\]\.checkpoints"):
        campaign(checkpoints=wrong)


@pytest.mark.parametrize("wrong", [[], ["initial_kernel"], ["network", "network"], ["network", "kernel"]])
def test_arms_are_the_network_and_known_others(wrong):
    with pytest.raises(InputError, match=r"experiment\[0\]\.arms"):
        campaign(arms=wrong)
