"""The automatic choice follows from the campaign alone, by a count of operations."""

import pytest

from simulate import Campaign
from simulate.integrators import integrator_of


def experiment(**changes):
    fields = {"name": "x", "n_train": 100, "n_test": 10, "depth": 3, "activation": "relu", "widths": [64]}
    fields |= {"root_h_alpha": [1.0], "seeds": 1}
    return Campaign.from_dict({"name": "x", "experiment": [fields | changes]}).experiment[0]


@pytest.mark.parametrize("preset", ["quick", "smoke"])
def test_small_training_sets_get_the_w_method(preset):
    assert {integrator_of(one) for one in Campaign.from_preset(preset).experiment} == {"rosenbrock"}


@pytest.mark.parametrize(("n_train", "widths"), [(1000, [100]), (10_000, [100, 300, 1000])])
def test_large_training_sets_get_the_method_that_forms_no_kernel(n_train, widths):
    large = experiment(dataset="fashion_mnist", n_train=n_train, widths=widths)
    assert integrator_of(large) == "chebyshev"


@pytest.mark.parametrize("name", ["rosenbrock", "chebyshev", "euler"])
def test_what_is_asked_for_is_taken(name):
    assert integrator_of(experiment(dynamics={"name": "gradient_flow", "integrator": name})) == name
    assert integrator_of(experiment(dynamics={"integrator": name})) == name
