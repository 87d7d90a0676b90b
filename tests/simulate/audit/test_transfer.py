"""Losses after training against the learning rate."""

import numpy as np
import pytest
import torch
from torch import nn

from lazyrich.errors import InputError
from simulate.audit.training import TrainingData
from simulate.audit.transfer import built_in_training, losses, trained_loss

RATES = (0.01, 0.02, 0.04, 0.08, 1e3)


def make(width):
    return nn.Linear(width, 1, bias=False)


def first_weight(model, rate, seed):
    """In place of training: the loss tells which model it was given."""
    return float(model.weight[0, 0].detach())


def test_all_rates_start_from_the_same_weights_and_seeds_from_others():
    found = losses(make, (4, 2), RATES, first_weight, seeds=3)
    assert (found.dims, found.sizes["size"], list(found["size"])) == (("size", "seed", "rate"), 2, [2, 4])
    assert (found == found.isel(rate=0)).all()
    assert len(np.unique(found.isel(rate=0))) == 6


def test_a_loss_that_is_not_finite_is_infinite():
    found = losses(make, (2, 4), RATES, lambda model, rate, seed: np.nan if rate > 1 else rate, seeds=1)
    np.testing.assert_array_equal(found.isel(size=0, seed=0), [0.01, 0.02, 0.04, 0.08, np.inf])


def test_the_built_in_training_diverges_at_a_rate_beyond_the_curvature():
    """A weight for each of two points, mean squared loss: the curvature is one, and rates below 2 are stable."""
    data = TrainingData(torch.eye(2), torch.ones(2, 1))
    run = built_in_training("sgd", data, steps=200)
    torch.manual_seed(0)
    assert run(make(2), 0.5, 0) < 1e-8
    assert run(make(2), 1e3, 0) == np.inf


def test_what_goes_wrong_in_a_users_function_is_named():
    def broken(model, rate, seed):
        raise ValueError("no data")

    with pytest.raises(InputError, match="it raised ValueError: no data") as refused:
        trained_loss(broken, make(2), 0.1, 0)
    assert (refused.value.field, refused.value.value) == ("train", "broken")


@pytest.mark.parametrize("rates", [RATES[:4], (*RATES[:4], 0.08), (*RATES[:4], 0.0), (*RATES[:4], np.inf)])
def test_rates_without_a_minimum_are_refused(rates):
    with pytest.raises(InputError, match="five positive rates"):
        losses(make, (2, 4), rates, first_weight)
