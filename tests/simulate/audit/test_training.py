"""The built-in training: its optimisers, losses and random data."""

import math

import pytest
import torch
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.training import (
    TrainingData,
    loss,
    make_optimizer,
    optimizer_kind,
    random_data,
    rates,
    steps,
    train,
)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


DATA = TrainingData(torch.ones(5, 3), torch.zeros(5, 2))


def test_training_takes_gradient_steps():
    net, start = model(), model()
    optimizer = make_optimizer("sgd", net, 0.1)
    value = loss(start(DATA.inputs), DATA.targets)
    value.backward()
    losses = [v for _, v in steps(net, optimizer, DATA, 1)]
    assert losses[0] == pytest.approx(value.item())
    torch.testing.assert_close(net[0].weight, start[0].weight - 0.1 * start[0].weight.grad)


def test_a_training_that_diverges_ends_with_an_infinite_loss():
    net = model()
    assert train(net, make_optimizer("sgd", net, 1e4), DATA, 50) == math.inf
    net = model()
    assert train(net, make_optimizer("adam", net, 1e-2), DATA, 50) < 0.1


def test_integer_targets_are_classes_also_of_tokens():
    output = torch.randn(2, 3, 5)
    targets = torch.tensor([[0, 1, 4], [2, 3, 3]])
    assert loss(output, targets).item() == pytest.approx(
        nn.functional.cross_entropy(output.transpose(1, 2), targets).item()
    )
    with pytest.raises(InputError, match="do not fit outputs"):
        loss(output, torch.zeros(7))


def by_layer(net, rate):
    return torch.optim.Adam([{"params": net[0].parameters(), "lr": rate}, {"params": net[2].weight, "lr": rate / 4}])


def test_rates_by_group_and_kinds_of_optimisers():
    net = model()
    optimizer = make_optimizer(by_layer, net, 1.0)
    assert rates(optimizer, net) == {"0.weight": 1.0, "0.bias": 1.0, "2.weight": 0.25, "2.bias": 0.0}
    net.tied = net[0]
    assert rates(optimizer, net)["tied.weight"] == 1.0
    assert optimizer_kind(optimizer) == "adam"
    assert optimizer_kind(make_optimizer("sgd", net, 1.0)) == "sgd"
    assert optimizer_kind(torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9)) is None
    assert optimizer_kind(torch.optim.Adagrad(net.parameters())) is None


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ("lion", "no such optimiser"),
        (lambda net, rate: 3, "something else"),
        (lambda net, rate: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_optimisers_that_can_not_be_used(choice, says):
    with pytest.raises(InputError, match=says):
        make_optimizer(choice, model(), 0.1)


def test_random_data_fit_models_whose_first_layer_says_what_it_takes():
    assert random_data(model(), 6, torch.float32).targets.shape == (6, 2)
    images = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten())
    assert random_data(images, 4, torch.float32).inputs.shape == (4, 3, 16, 16)
    assert random_data(nn.Sequential(nn.Embedding(7, 3)), 4, torch.float32).inputs.dtype == torch.int64
    with pytest.raises(InputError, match="Give --data"):
        random_data(nn.Tanh(), 4, torch.float32)
    with pytest.raises(InputError, match="do not fit the model"):
        random_data(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(7, 1)), 4, torch.float32)
