"""How far activations move, at several sizes: measured on models where it can be said by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.coordinates import OUTPUT, coordinates
from simulate.audit.training import TrainingData

GENERATOR = torch.Generator().manual_seed(0)
DATA = TrainingData(torch.randn(6, 4, generator=GENERATOR), torch.randn(6, 2, generator=GENERATOR))


def make(width):
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))


def test_changes_are_those_of_a_step():
    measured = coordinates(make, [8, 16], optimizer="sgd", rate=0.1, at_steps=(1, 2), seeds=2, data=DATA)
    assert dict(measured.sizes) == {"step": 2, "size": 2, "seed": 2, "module": 4}
    assert measured.module.values.tolist() == ["0", "1", "2", OUTPUT]
    assert measured.attrs["optimizer"] == "sgd"
    bias_and_weight = measured["change"].sel(module="2").values
    np.testing.assert_allclose(bias_and_weight, measured["change"].sel(module=OUTPUT).values)
    assert (measured["change"].sel(step=2) != measured["change"].sel(step=1)).all()
    # the activation's input moves as the layer before it
    np.testing.assert_allclose(measured["input_change"].sel(module="1"), measured["change"].sel(module="0"))
    np.testing.assert_allclose(measured["fan_in"].sel(module="2"), [8, 16])
    np.testing.assert_allclose(measured["fan_out"].sel(module="0"), [8, 16])
    assert (measured["rate"].sel(module=["0", "2"]) == 0.1).all()
    assert measured["rate"].sel(module="1").isnull().all()


def test_the_change_of_a_linear_model_is_the_rate_times_its_kernel():
    def one(width):
        torch.manual_seed(0)
        return nn.Linear(4, 2, bias=False)

    measured = coordinates(one, [8, 16], optimizer="sgd", rate=0.05, at_steps=[1], seeds=2, data=DATA)
    torch.manual_seed(0)
    model = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        residual = (model(DATA.inputs) - DATA.targets) * 2 / 12
        change = -0.05 * DATA.inputs @ DATA.inputs.T @ residual
    assert measured["change"].sel(module=OUTPUT).values == pytest.approx(float(change.square().mean().sqrt()), rel=1e-5)


def test_seeds_are_independent_draws_and_the_same_in_every_call():
    first, second = (coordinates(make, [8, 16], seeds=2, at_steps=[1], data=DATA) for _ in range(2))
    assert first.equals(second)
    assert len(np.unique(first["initial"].sel(module="0"))) == 4


class Attention(nn.Module):
    def __init__(self, width, by_hand):
        super().__init__()
        self.q, self.k, self.last = nn.Linear(4, width), nn.Linear(4, width), nn.Linear(4, 2)
        self.by_hand, self.width = by_hand, width

    def forward(self, x):
        x = x.reshape(-1, 2, 4)
        q, k = self.q(x), self.k(x)
        if self.by_hand:
            mixed = torch.softmax(q @ k.mT / self.width**0.5, -1) @ x
        else:
            mixed = nn.functional.scaled_dot_product_attention(q, k, x)
        return self.last(mixed)


def test_what_goes_into_the_softmax_of_attention_is_looked_at():
    x = TrainingData(torch.randn(6, 8, generator=GENERATOR), torch.randn(6, 2, 2, generator=GENERATOR))
    both = [
        coordinates(lambda w: Attention(w, by_hand), [8, 16], optimizer="sgd", seeds=2, at_steps=[1], data=x)  # noqa: B023
        for by_hand in (True, False)
    ]
    assert "softmax 1" in both[0].module
    np.testing.assert_allclose(
        both[0]["change"].sel(module="softmax 1"), both[1]["change"].sel(module="softmax 1"), rtol=1e-3
    )


def test_depths_are_compared_on_modules_as_far_along():
    def deep(depth):
        blocks = [nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(depth)]
        return nn.Sequential(*blocks, nn.Linear(4, 2))

    measured = coordinates(deep, [1, 3], axis="depth", seeds=2, at_steps=[1], data=DATA)
    assert measured.module.values.tolist() == [
        "Sequential[1/2].0", "Sequential[last].0", "Sequential[1/2].1", "Sequential[last].1", "Linear[0]", OUTPUT,
    ]  # fmt: skip
    # the last block hands its change on to the readout
    np.testing.assert_allclose(
        measured["change"].sel(module="Sequential[last].1"), measured["input_change"].sel(module="Linear[0]")
    )


def test_a_training_that_diverges_leaves_its_first_steps():
    measured = coordinates(make, [8, 16], optimizer="sgd", rate=1e4, at_steps=[1, 30], seeds=2, data=DATA)
    assert measured["change"].sel(step=1).notnull().all()
    assert measured["change"].sel(step=30).isnull().any()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sizes": [8]}, "two sizes"),
        ({"sizes": [8, 8, 16]}, "given twice"),
        ({"at_steps": [0]}, "a step at least"),
        ({"seeds": 1}, "at least 2"),
        ({"rate": -1.0}, "no learning rate"),
    ],
)
def test_what_can_not_be_checked(options, says):
    with pytest.raises(InputError, match=says):
        coordinates(make, **{"sizes": [8, 16], **options})
