"""The variance of the initial kernel over seeds: of networks, whose number is known, and of numbers made up."""

import json

import numpy as np
import pytest
import torch
import xarray as xr

from fit import assess
from simulate.networks import ntk
from simulate.networks.fully_connected import FullyConnected
from theory import Activation
from theory.curves import ntk_variance

SEEDS, POINTS, DIMENSION = 40, 20, 8


def campaign(moments, widths, **described):
    """``moments`` (2, width, seed): mean over points of Theta and of its square."""
    axes = ("width", "root_h_alpha", "seed")
    columns = {
        name: (axes, np.repeat(values[:, None], 2, axis=1))
        for name, values in zip(("kernel_diagonal_initial", "kernel_diagonal_square_initial"), moments, strict=True)
    }
    data = xr.Dataset(
        columns, coords={"width": list(widths), "root_h_alpha": [1e-2, 1e2], "seed": np.arange(moments.shape[2])}
    )
    data.attrs["experiment"] = json.dumps({"name": "x", "activation": "relu", "depth": 1} | described)
    return data


def verdict(data):
    (found,) = [v for v in assess(data) if v.claim == "initial_kernel_variance"]
    return found


def of_networks(activation, depth, widths):
    x = torch.randn(POINTS, DIMENSION, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x *= DIMENSION**0.5 / x.norm(dim=1, keepdim=True)
    rows = []
    for width in widths:
        net = FullyConnected(DIMENSION, width, depth, Activation(activation))
        diagonal = ntk.diagonal(net.linearise(net.initial_weights(0, range(SEEDS)), x))
        rows.append((diagonal.mean(-1).numpy(), diagonal.square().mean(-1).numpy()))
    return np.moveaxis(np.array(rows), 1, 0)


@pytest.mark.parametrize(("activation", "depth"), [("relu", 1), ("softplus", 2)])
def test_networks_have_the_computed_variance(activation, depth):
    """40 seeds of four widths: 20 points of a network are partly independent, so that C is known to about 8 %."""
    widths = (32, 48, 64, 96)
    found = verdict(campaign(of_networks(activation, depth, widths), widths, activation=activation, depth=depth))
    assert found.estimate == pytest.approx(1.0, abs=0.25)
    assert found.verdict != "inconsistent"
    np.testing.assert_allclose(found.points.attrs["predicted_y"], ntk_variance(activation, depth))


def made_up(factor, widths=(32, 64, 128, 256)):
    """Theta(x, x) = 2 + noise that is independent from point to point, with ``factor`` times ReLU's variance."""
    rng = np.random.default_rng(1)
    deviation = 2 * np.sqrt(factor * 3.0 / np.array(widths))[:, None, None]
    diagonal = 2 + deviation * rng.standard_normal((len(widths), 60, 50))
    return campaign(np.stack([diagonal.mean(-1), np.square(diagonal).mean(-1)]), widths)


@pytest.mark.parametrize(("factor", "word"), [(1.0, "consistent"), (0.5, "inconsistent"), (1.6, "inconsistent")])
def test_the_rule_is_that_of_a_number(factor, word):
    found = verdict(made_up(factor))
    assert found.verdict == word
    assert found.estimate == pytest.approx(factor, rel=0.05)


def test_narrow_or_other_networks_are_not_compared():
    assert "widths from 160 on" in verdict(campaign(np.ones((2, 4, 9)), (16, 32, 64, 128), depth=10)).reason
    found = verdict(made_up(1.0).assign_attrs(experiment=json.dumps(
        {"name": "x", "activation": "relu", "depth": 1, "architecture": "residual"})))  # fmt: skip
    assert (found.estimate, found.verdict) == (None, "inconclusive")
