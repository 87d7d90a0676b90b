"""The fixed cost model: what it counts, and in which direction it moves."""

import pytest
from campaigns import campaign, experiment

from simulate.planning.operations import (
    campaign_operations,
    gpu_seconds,
    operations,
    relative_steps,
    seconds,
    task_operations,
)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ({"n_train": 40}, {"n_train": 80}),
        ({"depth": 2}, {"depth": 3}),
        ({"n_test": 60}, {"n_test": 600}),
        ({"checkpoints": 1}, {"checkpoints": 4}),
        ({}, {"arms": ["network", "initial_kernel"]}),
    ],
)
def test_more_work_counts_more(small, large):
    assert operations(experiment(**large), 32) > operations(experiment(**small), 32)


def test_wider_networks_cost_more():
    assert operations(experiment(), 32) > operations(experiment(), 16)


def test_single_precision_counts_half():
    one = experiment(root_h_alpha=[1.0])
    single = experiment(root_h_alpha=[1.0], dtype="float32")
    assert operations(single, 16) == pytest.approx(0.5 * operations(one, 16))


def test_steps_are_relative_to_those_of_relu():
    assert relative_steps("relu", 3) == relative_steps("softplus", 3) == 1.0
    assert relative_steps("tanh", 3) < 1.0 < relative_steps("abs(z)", 3)
    assert relative_steps("relu(z)**2", 3) > relative_steps("relu(z)**2", 2) > 1.0
    assert relative_steps("not.loaded:function", 3) == 1.0


def test_a_campaign_is_the_sum_of_its_widths_and_time_goes_down_with_cores():
    one = campaign()
    (spec,) = one.experiment
    networks = len(spec.amplitudes) * spec.seeds
    total = sum(task_operations(spec, width, networks) for width in spec.widths)
    assert campaign_operations(one) == pytest.approx(total)
    assert seconds(one, cores=4) == pytest.approx(seconds(one, cores=2) / 2)
    assert gpu_seconds(one) < seconds(one)
