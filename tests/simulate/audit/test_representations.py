"""What modules make of inputs, and what the tangent explains of its change."""

import audited_models
import pytest
import torch
from torch import nn

from simulate.audit import representations as module
from simulate.audit.model_function import ModelFunction
from simulate.audit.representations import representations


def pair(name, size):
    torch.manual_seed(0)
    before = getattr(audited_models, name)()
    torch.manual_seed(0)
    after = audited_models.moved(getattr(audited_models, name)(), size)
    return ModelFunction.from_module(before), ModelFunction.from_module(after), audited_models.points(name)


@pytest.mark.parametrize("name", ["mlp", "cnn", "residual", "gpt"])
def test_the_tangent_explains_small_changes_and_less_of_large_ones(name):
    """What it leaves is of second order in the size of the change: 1e-3 leaves 1e-6 or so, squared."""
    shares = [representations(*pair(name, size))[""].tangent_share for size in (1e-3, 0.5)]
    assert 1 - shares[0] < 1e-4
    assert 1 - shares[1] > 100 * (1 - shares[0])


def test_a_linear_model_is_its_own_tangent():
    result = representations(*pair("linear", 1.0))[""]
    assert result.tangent_share == pytest.approx(1, abs=1e-12)
    assert result.change > 0.1


def test_a_model_that_did_not_change():
    result = representations(*pair("mlp", 0.0))
    for one in result.values():
        assert one.change == 0
        assert one.similarity == pytest.approx(1)
        assert one.tangent_share == 1


def test_changes_are_those_of_a_forward_pass():
    before, after, x = pair("mlp", 0.1)
    result = representations(before, after, x)
    with torch.no_grad():
        first = [m.module[:2](x) for m in (before, after)]
    assert result["1"].change == pytest.approx(float((first[1] - first[0]).norm() / first[0].norm()))
    assert list(result) == ["0", "1", "2", "3", "4", ""]


def test_similarity_is_not_affected_by_rotations_and_scales_of_features():
    before, after, x = pair("linear", 0.0)
    turn = torch.linalg.qr(torch.randn(2, 2, dtype=torch.float64))[0]
    weights = {name: 3 * turn @ p for name, p in before.parameters.items()}
    after = ModelFunction(after.module, weights, after.fixed)
    assert representations(before, after, x)[""].similarity == pytest.approx(1)


def test_modules_are_looked_at_in_sets_that_memory_holds():
    before, after, x = pair("cnn", 0.1)
    whole, parts = representations(before, after, x), representations(before, after, x, memory=20_000)
    sets = list(module._sets(module._sizes(before, x), 20_000 // (3 * 6 * 8)))
    assert len(sets) > 2
    assert whole == parts


def test_a_module_that_is_called_twice_is_one_representation():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(5, 5).double()

        def forward(self, x):
            return self.inner(self.inner(x).tanh())

    torch.manual_seed(0)
    model, x = ModelFunction.from_module(Twice()), audited_models.points("mlp")
    result = representations(model, ModelFunction.from_module(audited_models.moved(Twice(), 0.1)), x)
    assert set(result) == {"inner", ""}
