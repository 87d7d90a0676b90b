"""The automatic choice follows from the campaign alone, by a count of operations."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import choice, convolutions
from simulate import Campaign
from simulate.planning.integrator_choice import CONVOLUTIONAL_GRADIENTS, CONVOLUTIONAL_STEPS, integrator_of


def experiment(**changes):
    fields = {"name": "x", "n_train": 100, "n_test": 10, "depth": 3, "activation": "relu", "widths": [64]}
    fields |= {"root_h_alpha": [1.0], "seeds": 1}
    return Campaign.from_dict({"name": "x", "experiment": [fields | changes]}).experiment[0]


@pytest.mark.parametrize(("preset", "name"), [("quick", "kernel_flow"), ("smoke", "rosenbrock")])
def test_a_few_tens_of_points_get_the_method_with_fewer_calls(preset, name):
    assert {integrator_of(one) for one in Campaign.from_preset(preset).experiment} == {name}


@pytest.mark.parametrize(
    ("widths", "name"), [([100], "chebyshev"), ([1000], "kernel_flow"), ([100, 300, 1000], "kernel_flow")]
)
def test_ten_thousand_points_get_the_method_that_a_gpu_is_faster_with(widths, name):
    """On an H200, A = 1: 2.1 s by Chebyshev's, 4.2 s by the kernel flow at h = 100; 7.1 s, 3.9 s at h = 1,000."""
    images = experiment(dataset="fashion_mnist", n_train=10_000, widths=widths, activation="softplus")
    assert integrator_of(images) == name


@pytest.mark.parametrize("n_train", [100, 500, 2000])
def test_some_hundred_points_of_images_get_the_kernel_flow(n_train):
    """Measured with 500, h = 128, L = 3: half of the W-method's time, at a tolerance of 1e-2."""
    images = experiment(dataset="fashion_mnist", n_train=n_train, widths=[128], activation="softplus")
    assert integrator_of(images) == "kernel_flow"


@pytest.mark.parametrize("activation", ["tanh", "z/(1+abs(z))", "relu2"])
def test_networks_that_saturate_or_blow_up_do_not(activation):
    """Errors of their growth are magnified, and it takes few steps there."""
    images = experiment(dataset="fashion_mnist", n_train=500, widths=[128], activation=activation)
    assert integrator_of(images) == "rosenbrock"


@pytest.mark.parametrize(("n_train", "name"), [(100, "kernel_flow"), (50_000, "chebyshev")])
def test_convolutional_networks_get_the_kernel_flow_unless_there_are_many_points(n_train, name):
    images = experiment(dataset="fashion_mnist", architecture="cnn", depth=4, widths=[50], n_train=n_train)
    assert integrator_of(images) == name


def test_counts_of_convolutional_networks_are_those_of_the_stored_measurement():
    """`python -m benchmarks convolutions`."""
    rows = json.loads(Path("benchmarks/results/convolutions-cpu.json").read_text(encoding="utf-8"))["rows"]
    steps = convolutions.mean(rows, "kernel_flow", "steps")
    assert steps == pytest.approx(CONVOLUTIONAL_STEPS, rel=0.1)
    gradients = convolutions.mean(rows, "chebyshev", "gradients")
    assert gradients == pytest.approx(CONVOLUTIONAL_GRADIENTS, rel=0.1)


def test_what_a_step_takes_against_a_gradient_is_counted_within_a_fifth():
    """From the stored measurement (`python -m benchmarks choice`): 36 cases; passes over memory are what is rough."""
    rows = json.loads(Path("benchmarks/results/choice-cpu.json").read_text(encoding="utf-8"))["rows"]
    counts = np.array([choice.counted(r["n"], r["width"], r["depth"], r["data"]) for r in rows])
    times = np.array([(r["step_s"], r["gradient_s"]) for r in rows])
    off = np.log(counts[:, 0] / counts[:, 1]) - np.log(times[:, 0] / times[:, 1])
    assert abs(off.mean()) < 0.1
    assert off.std() < 0.2


@pytest.mark.parametrize("name", ["kernel_flow", "rosenbrock", "chebyshev", "euler"])
def test_what_is_asked_for_is_taken(name):
    assert integrator_of(experiment(dynamics={"name": "gradient_flow", "integrator": name})) == name
    assert integrator_of(experiment(dynamics={"integrator": name})) == name
