"""The arms that campaigns name: what each freezes, and what is refused."""

import pytest
from campaigns import experiment

from lazyrich.errors import InputError
from simulate.campaign.arms import ARMS


def test_a_frozen_kernel_is_of_weights_before_training_or_after():
    assert [name for name, arm in ARMS.items() if arm.weights is None] == ["network"]
    for name, arm in ARMS.items():
        if arm.weights is not None:
            assert name.startswith(arm.weights)
            assert arm.last_layer_only == name.endswith("features")


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_can_be_asked_for(name):
    assert name in experiment(arms=["network", name] if name != "network" else [name]).arms


def test_another_name_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match="no such arm") as caught:
        experiment(arms=["network", "kernel"])
    assert all(name in caught.value.remedy for name in ARMS)
