"""Measurements of runs: the engine's own numbers, linear models, costs."""

import math

import audited_models
import numpy as np
import pytest
import torch
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.measure import alignment, effective_rank, measure
from simulate.dynamics.flow import GradientFlow
from simulate.dynamics.losses import LOSSES
from simulate.integrators import ErrorControl, Rosenbrock
from simulate.measure.held_out import HeldOut
from simulate.measure.stop import Stop
from simulate.networks.first_layer import Dense
from simulate.networks.fully_connected import FullyConnected
from simulate.networks.torch_activation import compile_activation
from simulate.training.driver import integrate
from theory import Activation


class Article(nn.Module):
    """The network of `FullyConnected` as a module: W x/sqrt(fan-in) in each layer."""

    def __init__(self, weights):
        super().__init__()
        self.sigma = compile_activation(Activation("softplus")).value
        self.weights = nn.ParameterList([w[0].clone() for w in weights])

    def forward(self, x):
        for layer, w in enumerate(self.weights):
            x = x @ w.T / math.sqrt(w.shape[1])
            if layer < len(self.weights) - 1:
                x = self.sigma(x)
        return x


@pytest.mark.parametrize("amplitude", [0.1, 10.0])
def test_a_network_of_this_package_gives_the_engines_own_kernel_change(amplitude):
    """Trained by gradient flow to margin 1; the engine's layerwise kernels against differentiated ones, to 1e-6."""
    x = torch.randn(16, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    train, held_out = x[:10], x[10:]
    y = train[:, 0].sign()
    network = FullyConnected(6, 24, 2, Activation("softplus"))
    initial = network.initial_weights(0, [0])
    alpha = torch.tensor([amplitude / math.sqrt(24)], dtype=torch.float64)
    flow = GradientFlow(network, LOSSES["softhinge"], Dense.on_inputs(train), y, alpha, network.output(initial, train))
    ends = []
    scale = alpha.clamp(max=1.0)
    integrate(
        flow, [w.clone() for w in initial], (Stop(flow),), ends.append,
        stepper=Rosenbrock(), controller=ErrorControl(scale, 1e-2, Rosenbrock().order), max_steps=2000,
    )  # fmt: skip
    engine = HeldOut(network, initial, torch.tensor([0]), alpha, Dense.on_inputs(held_out), 6)
    own, own_layers = engine.kernel_change(torch.tensor([0]), ends[0].weights)

    before, after = Article(initial), Article(ends[0].weights)
    (run,) = measure(lambda: Article(initial), [before], [after], held_out).runs
    change = np.linalg.norm(run.after.total - run.before.total) / np.linalg.norm(run.before.total)
    assert change == pytest.approx(own.item(), rel=1e-6)
    assert own.item() > 0.1 or amplitude == 10
    weights = run.weights["weights.0"]
    moved = (ends[0].weights[0] - initial[0]).norm() / initial[0].norm()
    assert weights.change == pytest.approx(moved.item())
    assert own_layers.shape == (1, 3)


def test_a_linear_model_has_exactly_the_same_kernel_after_training():
    before = audited_models.linear()
    after = audited_models.moved(audited_models.linear(), 2.0)
    measured = measure(audited_models.linear, [before], [after], audited_models.points("mlp"))
    (run,) = measured.runs
    assert (run.after.total == run.before.total).all()
    assert (run.after.full == run.before.full).all()
    assert measured.modules == {"": "Linear"}


def test_costs_are_told_before_and_progress_is_that_of_all_kernels():
    told, shares = [], []
    x = audited_models.points("mlp")
    pair = [audited_models.mlp(), audited_models.mlp()]
    measured = measure(audited_models.mlp, pair, pair[::-1], x, announce=told.append, report=shares.append)
    (cost,) = told
    assert cost.kernels == 4
    assert cost.seconds > 0
    assert cost.memory == len(x) * measured.outputs * cost.parameters * 8  # less than the limit: all rows at once
    assert cost.parameters == sum(p.numel() for p in pair[0].parameters())
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_each_run_needs_both_checkpoints():
    with pytest.raises(InputError, match="one pair a run"):
        measure(audited_models.mlp, [audited_models.mlp()], [], audited_models.points("mlp"))


def test_the_precision_is_the_models_or_the_one_asked_for():
    x = audited_models.points("mlp")
    model = audited_models.mlp().float()
    assert measure(audited_models.mlp, [model], [model], x, dtype=torch.float32).dtype == "float32"
    assert measure(audited_models.mlp, [model], [model], x).dtype == "float64"


def test_effective_ranks_and_alignments():
    y = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    assert effective_rank(np.eye(4)) == 4
    assert effective_rank(y @ y.T) == 1
    assert math.isnan(effective_rank(np.zeros((4, 4))))
    assert alignment(y @ y.T, y) == pytest.approx(1)
    assert alignment(np.eye(4), y) == pytest.approx(1 / math.sqrt(3))
    assert math.isnan(alignment(np.eye(4), np.ones((4, 1))))


def test_integers_are_tokens():
    x = audited_models.points("gpt")
    torch.manual_seed(0)
    before, after = audited_models.gpt(), audited_models.moved(audited_models.gpt())
    measured = measure(audited_models.gpt, [before], [after], x)
    assert measured.outputs == 12
    assert "tokens" in measured.modules  # tied to the readout, and named once
    assert "readout" not in measured.modules
