"""A forward function on stacked weights is an architecture: derivatives, kernels, training and the store follow."""

import numpy as np
import pytest
import torch
from user_architectures import Gated, Plain, spec

from simulate import Architecture, Campaign, load_data, register_architecture, run, run_task
from simulate.networks.differentiated import Differentiated
from simulate.networks.fully_connected import FullyConnected
from simulate.networks.registry import architecture_names
from simulate.planning.tasks import Task
from theory import Activation

MEMBERS, POINTS, INPUTS, WIDTH = 3, 7, 5, 6


def points(seed=1):
    return torch.randn(POINTS, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def vectors(seed=3):
    return torch.randn(MEMBERS, POINTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("activation", ["softplus", "relu", "where(z > 0, sqrt(z + 1), 1)"])
@pytest.mark.parametrize("depth", [1, 3])
def test_a_forward_function_gives_what_the_layerwise_forms_give(depth, activation):
    plain, fc = (cls(INPUTS, WIDTH, depth, Activation(activation)) for cls in (Plain, FullyConnected))
    weights = fc.initial_weights(0, range(MEMBERS))
    ours, theirs = plain.linearise(weights, points()), fc.linearise(weights, points())
    other, other_theirs = plain.linearise(weights, points(2)), fc.linearise(weights, points(2))
    assert isinstance(ours, Differentiated)

    def close(a, b):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)

    close(plain.output(weights, points()), theirs.output)
    close(ours.output, theirs.output)
    close(ours.kernel(), theirs.kernel())
    close(ours.kernel_trace(), theirs.kernel_trace())
    for a, b in zip(ours.kernel_layers(other), theirs.kernel_layers(other_theirs), strict=True):
        close(a, b)
    pulled = ours.pullback(vectors())
    for a, b in zip(pulled, theirs.pullback(vectors()), strict=True):
        close(a, b)
    close(ours.pushforward(pulled), theirs.pushforward(pulled))
    one = torch.tensor([1])
    close(ours.select(one).pushforward([p[one] for p in pulled]), theirs.pushforward(pulled)[one])
    close(ours.select_points(slice(2, 5)).kernel(), theirs.kernel()[:, 2:5, 2:5])


def test_weights_of_any_shape_are_matrices_to_the_flow_and_themselves_to_the_forward_function():
    net = Gated(INPUTS, WIDTH, 1, Activation("tanh"))
    weights = net.initial_weights(0, range(MEMBERS))
    assert [tuple(w.shape[1:]) for w in weights] == [(WIDTH, INPUTS), (WIDTH, 1), (WIDTH, 2 * INPUTS)]
    at = net.linearise(weights, points())
    q = vectors()
    theta_q = torch.bmm(at.kernel(), q.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(at.pushforward(at.pullback(q)), theta_q, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(at.kernel_trace(), at.kernel().diagonal(dim1=1, dim2=2).sum(-1))


def test_the_size_of_a_forward_function_is_counted_without_running_it():
    plain, fc = (cls(INPUTS, WIDTH, 3, Activation("relu")).size for cls in (Plain, FullyConnected))
    assert plain.weights == fc.weights == INPUTS * WIDTH + 2 * WIDTH**2 + WIDTH
    # automatic differentiation keeps a few copies of what the layerwise forms keep
    assert fc.kept_per_point <= plain.kept_per_point <= 6 * fc.kept_per_point

    class Branching(Plain):
        def forward(self, weights, x):
            return super().forward(weights, -x if x.sum() > 0 else x)

    assert Branching(INPUTS, WIDTH, 3, Activation("relu")).size.kept_per_point > 0


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr("simulate.networks.registry._registered", {})
    for cls in (Plain, Gated):
        register_architecture(cls)


@pytest.mark.parametrize("integrator", ["rosenbrock", "chebyshev"])
def test_an_architecture_of_ones_own_trains_as_the_layerwise_one_does(registered, monkeypatch, integrator):
    dynamics = {"name": "gradient_flow", "integrator": integrator}
    task, found = Task("test", 0, 8, 0, 2), []
    start = FullyConnected(10, 8, 2, Activation("softplus")).initial_weights(0, range(2))
    for name in ("fc", "plain"):
        # the same draw for both: otherwise the key has the architecture's name in it
        monkeypatch.setattr(Architecture, "initial_weights", lambda *_: [w.clone() for w in start])
        found.append(run_task(spec(name, dynamics=dynamics), task, load_data(spec(name))))
    fc, plain = found
    assert (fc.status == plain.status).all()
    for name in ("kernel_change", "kernel_change_layer", "weight_change", "time_end", "time_linear", "test_output"):
        tight = fc[name].dtype == np.float64
        np.testing.assert_allclose(plain[name], fc[name], rtol=1e-6 if tight else 1e-5, atol=1e-6, err_msg=name)


def test_a_campaign_with_an_architecture_of_ones_own_is_run_into_a_store(registered, tmp_path):
    assert {"fc", "plain", "gated"} <= set(architecture_names())
    one = spec("gated", root_h_alpha=(100.0,), widths=(8, 9)).model_dump(mode="json", exclude_none=True)
    # in processes of their own, which know of it only what they are sent
    outcome = run(Campaign.from_dict({"name": "own", "experiment": [one]}), tmp_path / "s", workers=2)
    data = outcome.store.tree()["test"].to_dataset()
    assert data.sizes["layer"] == 3
    assert np.isfinite(data.kernel_change_layer).all()


def test_initial_weights_are_keyed_by_the_architecture():
    plain, fc = (cls(INPUTS, WIDTH, 1, Activation("relu")) for cls in (Plain, FullyConnected))
    assert not torch.equal(plain.initial_weights(0, [0])[0], fc.initial_weights(0, [0])[0])
