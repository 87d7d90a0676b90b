"""The derivative along a change of the weights, for models whose operations lack one of the modes."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from simulate.audit.directional_derivative import directional_derivative
from simulate.audit.model_function import ModelFunction
from simulate.audit.tangent_kernel import output_directions, tangent_kernels


class Recurrent(nn.Module):
    """The last state of an LSTM."""

    def __init__(self):
        super().__init__()
        self.cells, self.last = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.last(self.cells(x)[0][:, -1])


class Transformer(nn.Module):
    """torch's own encoder, whose fused kernels have no forward mode."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.encoder(self.first(x)).mean(1))


class NormalisedWeights(nn.Module):
    """Weights of norm one times a gain: an operation without a forward mode."""

    def __init__(self):
        super().__init__()
        self.first = nn.utils.parametrizations.weight_norm(nn.Linear(3, 6))
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x))).mean(1)


@pytest.mark.parametrize("kind", [Recurrent, Transformer, NormalisedWeights])
def test_the_derivative_is_that_of_differences_and_kernels_are_those_of_gradients(kind):
    """1e-6 in the step: central differences in double precision are right to 1e-8 or so."""
    torch.manual_seed(0)
    model = ModelFunction.from_module(kind().double())
    x = torch.randn(3, 4, 3, dtype=torch.float64)
    change = {name: torch.randn_like(p) for name, p in model.parameters.items()}
    value, tangent = directional_derivative(lambda p: {"": model(p, x)}, model.parameters, change)

    def moved(step):
        return model({name: p + step * change[name] for name, p in model.parameters.items()}, x)

    torch.testing.assert_close(value[""], model({}, x))
    torch.testing.assert_close(tangent[""], (moved(1e-6) - moved(-1e-6)) / 2e-6, rtol=1e-6, atol=1e-6)

    kernel = tangent_kernels(model, x, output_directions(2, model.dtype), mapped=False).total
    parameters = {name: p.requires_grad_() for name, p in model.copies().items()}
    outputs = functional_call(model.module, {**model.fixed, **parameters}, (x,))
    rows = [
        torch.cat([g.reshape(-1) for g in torch.autograd.grad(o, list(parameters.values()), retain_graph=True)])
        for o in outputs.reshape(-1)
    ]
    jacobian = torch.stack(rows).reshape(3, 2, -1)
    torch.testing.assert_close(torch.from_numpy(kernel), torch.einsum("icp,jcp->ij", jacobian, jacobian))


def test_flags_of_torch_are_left_as_they_were():
    before = torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()
    ModelFunction.from_module(Recurrent())({}, torch.randn(2, 4, 3))
    assert (torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()) == before
