"""Derived means derived: change the model, and the exponents change as a numerical solution of that model does."""

import functools

import numpy as np
import pytest
from one_datum import at_stop
from sympy import Rational

from theory.model import Model
from theory.scaling import A, Feature, H, Lazy, neuron_growth, power

MODELS = {
    "article, L=1": Model(1),
    "article, L=2": Model(2),
    "last layer 1/h, L=1": Model(1, output=1),
    "last layer 1/h, L=2": Model(2, output=1),
    "hidden layers 1/h": Model(2, hidden=1),
    "hidden layers h^(-1/4)": Model(2, hidden=Rational(1, 4)),
    "stop at F ~ A^(-2), L=1": Model(1, target=-2),
    "stop at F ~ A^(-2), L=2": Model(2, target=-2),
    "degree 2": Model(1, degree=2),
    "bounded": Model(1, degree=0),
}
SEEDS = {1: 16, 2: 8}  # by depth: matrices are slow, and their exponents scatter less
QUANTITIES = {"kernel": 0, "weights": 1, "time": 2}


def derived(model):
    feature = Feature(model, neuron_growth(model.degree))
    lazy = Lazy(model)
    completion, logarithm = feature.completion
    laws = {
        ("feature", "kernel"): feature.kernel_change,
        ("feature", "weights"): feature.weight_change,
        ("feature", "time"): completion,
        ("lazy", "weights"): lazy.weight_change,
        ("lazy", "time"): lazy.duration,
    }
    if logarithm:
        del laws["feature", "time"]
    if model.degree == 0:
        del laws["feature", "kernel"]  # claimed of held-out points near a kink; here is one point, and it saturates
    return laws


@functools.cache
def measured(name):
    """Exponents of A (at fixed h) and of h (at fixed A), averaged over seeds."""
    model = MODELS[name]
    widths = (32, 512) if model.depth == 1 else (48, 192)
    stretch = 1 / (1 - float(model.target))  # so that f - f_0 spans the same range whatever the target
    found = {}
    for regime, amplitudes in (("feature", np.array([1e-6, 1e-5])), ("lazy", np.array([1e4, 1e5]))):
        logs = np.array(
            [
                [np.log(at_stop(model, h, amplitudes**stretch, seed)) for seed in range(SEEDS[model.depth])]
                for h in widths
            ]  # widths, seeds, amplitudes, quantities
        ).mean(axis=1)
        in_a = (logs[:, 1] - logs[:, 0]) / (stretch * np.log(10))
        in_h = (logs[1] - logs[0]) / np.log(widths[1] / widths[0])
        for quantity, index in QUANTITIES.items():
            found[regime, quantity] = in_a[:, index].mean(), in_h[:, index].mean()
    return found


@pytest.mark.parametrize("name", MODELS)
def test_exponents_are_those_of_the_changed_model(name):
    for law, scale in derived(MODELS[name]).items():
        in_a, in_h = measured(name)[law]
        assert in_a == pytest.approx(float(power(scale, A)), abs=0.03), law
        assert in_h == pytest.approx(float(power(scale, H)), abs=0.15), law


@pytest.mark.parametrize("name", [n for n in MODELS if not n.startswith("article")])
def test_each_change_moves_an_exponent_further_than_the_test_tolerates(name):
    """Else the test above would pass for exponents that are typed in."""
    model = MODELS[name]
    before = derived(Model(model.depth))
    moved = [
        max(abs(float(power(scale - before[law], A))) / 0.03, abs(float(power(scale - before[law], H))) / 0.15)
        for law, scale in derived(model).items()
        if law in before
    ]
    assert max(moved) > 2


def test_the_crossover_moves_with_the_last_layer():
    """Where the kernel change is one: A* ~ h^0 in the article's model, h^(1/2) with a last layer 1/h."""
    amplitudes = np.logspace(-1, 3, 25)
    for model in (Model(1), Model(1, output=1), Model(2, hidden=1)):
        widths = (32, 512) if model.depth == 1 else (48, 192)
        crossing = []
        for h in widths:
            change = np.mean([np.log(at_stop(model, h, amplitudes, seed)[:, 0]) for seed in range(4)], axis=0)
            crossing.append(np.interp(0.0, change[::-1], np.log(amplitudes)[::-1]))
        slope = (crossing[1] - crossing[0]) / np.log(widths[1] / widths[0])
        assert slope == pytest.approx(float(power(Lazy(model).crossover, H)), abs=0.1)


@pytest.mark.parametrize("name", [n for n, model in MODELS.items() if model.degree > 0])
def test_the_kernel_follows_the_output_wherever_training_stops(name):
    """Theta ~ (A/F)^(-a) with the same a for F ~ 1 and F ~ A^(-2): the law that homogeneity alone gives."""
    model = MODELS[name]
    in_a, _ = measured(name)["feature", "kernel"]
    followed = -float(Feature(model, neuron_growth(model.degree)).kernel_by_output)
    assert in_a / (1 - float(model.target)) == pytest.approx(followed, abs=0.03)
