"""The output scale decides by how much a kernel changes."""

import numpy as np
import pytest
import torch
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.output_scale import ScaledOutput, kernel_changes
from simulate.audit.training import TrainingData

GENERATOR = torch.Generator().manual_seed(0)
DATA = TrainingData(torch.randn(6, 4, generator=GENERATOR), torch.randn(6, 1, generator=GENERATOR))


def test_a_scaled_output_starts_at_zero_and_is_proportional_to_what_has_changed():
    model = nn.Linear(4, 1)
    scaled = ScaledOutput(model, 3.0)
    assert torch.equal(scaled(DATA.inputs), torch.zeros(6, 1))
    before = model(DATA.inputs).detach()
    with torch.no_grad():
        model.weight += 0.1
    torch.testing.assert_close(scaled(DATA.inputs), 3.0 * (model(DATA.inputs) - before))
    assert {name for name, p in scaled.named_parameters() if p.requires_grad} == {"model.weight", "model.bias"}


def test_a_model_that_is_linear_in_its_weights_has_one_kernel_at_every_scale():
    """Gradients do not depend on the weights: no change beyond rounding."""
    changes = kernel_changes(lambda: nn.Linear(4, 1).double(), (0.1, 1.0, 10.0), double(DATA), seeds=2, most_steps=20)
    np.testing.assert_allclose(changes["kernel_change"], 0.0, atol=1e-12)
    assert changes["kernel_change"].dims == ("scale", "seed")


def test_the_kernel_of_two_layers_changes_less_the_larger_the_scale():
    def make():
        return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1)).double()

    changes = kernel_changes(make, (0.1, 1.0, 100.0), double(DATA), optimizer="sgd", rate=0.05, seeds=1, most_steps=500)
    change = changes["kernel_change"].values[:, 0]
    assert change[0] > change[1] > 10 * change[2]


@pytest.mark.parametrize("scales", [(1.0, 10.0), (1.0, 1.0, 10.0), (-1.0, 1.0, 10.0), (1.0, 2.0, np.inf)])
def test_scales_without_a_crossover_are_refused(scales):
    with pytest.raises(InputError, match="three positive scales"):
        kernel_changes(lambda: nn.Linear(4, 1), scales, DATA)


def double(data):
    return TrainingData(data.inputs.double(), data.targets.double())
