"""Gradients of linear layers as factors: taken where they are right, and where they are less work."""

import audited_models
import numpy as np
import pytest
import torch

from simulate.audit.model_function import ModelFunction
from simulate.audit.tangent_kernel import output_directions, plan, tangent_kernels


def test_linear_layers_are_taken_as_factors_and_others_are_not():
    model, x = audited_models.subject("residual")
    directions = output_directions(2, model.dtype)
    weights = plan(model, x, directions).factored
    assert set(weights) == {"first.weight", "blocks.0.1.weight", "blocks.1.1.weight", "last.weight"}
    assert plan(model, x, directions, mapped=False).factored == ()
    model, x = audited_models.subject("gpt")
    factored = plan(model, x, output_directions(12, model.dtype)).factored
    assert "readout.weight" not in factored  # tied to the embedding
    assert "tokens.weight" not in factored


class UsedTwice(torch.nn.Module):
    """Calls a layer once, and uses its weight once more."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(5, 5)

    def forward(self, x):
        return self.layer(x) @ self.layer.weight


def test_a_weight_that_is_used_elsewhere_too_is_not_taken_as_factors():
    torch.manual_seed(0)
    model, x = ModelFunction.from_module(UsedTwice().double()), audited_models.points("mlp")
    directions = output_directions(5, model.dtype)
    assert plan(model, x, directions).factored == ()
    jacobian = torch.cat(list(audited_models.explicit_jacobians(model, x).values()), -1)
    kernel = tangent_kernels(model, x, directions).total
    np.testing.assert_allclose(kernel, torch.einsum("icp,jcp->ij", jacobian, jacobian).numpy(), rtol=1e-10)


class Tokens(torch.nn.Module):
    """Wide layers on three tokens."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(2, 60), torch.nn.Tanh(), torch.nn.Linear(60, 50))

    def forward(self, x):
        return self.layers(x.unflatten(-1, (3, 2))).sum(-1)


@pytest.mark.parametrize("memory", [2**30, 2000])
def test_factors_of_several_positions(memory):
    torch.manual_seed(0)
    model = ModelFunction.from_module(Tokens().double())
    x = torch.randn(7, 6, dtype=torch.float64)
    directions = output_directions(3, model.dtype)
    assert plan(model, x, directions, memory).factored == ("layers.2.weight",)
    jacobian = torch.cat(list(audited_models.explicit_jacobians(model, x).values()), -1)
    kernel = tangent_kernels(model, x, directions, memory=memory).total
    np.testing.assert_allclose(kernel, torch.einsum("icp,jcp->ij", jacobian, jacobian).numpy(), rtol=1e-10)
