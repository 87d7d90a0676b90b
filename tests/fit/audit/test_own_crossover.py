"""A model's own crossover, by scaling its output."""

import json

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from fit.audit.own_crossover import judge_scales, own_crossover
from lazyrich.errors import InputError
from simulate.audit.training import TrainingData
from theory.curves.equivalent_amplitude import CROSSOVER_AMPLITUDE, kernel_change_at

SCALES = np.geomspace(1e-2, 1e2, 5)


def made_up(crossover, noise=0.0, seeds=3):
    """Kernel changes of the simplest network, whose crossover is at the scale given."""
    rng = np.random.default_rng(0)
    change = [[kernel_change_at(s / crossover * CROSSOVER_AMPLITUDE) for _ in range(seeds)] for s in SCALES]
    change = np.array(change) * np.exp(noise * rng.normal(size=(len(SCALES), seeds)))
    dims = ("scale", "seed")
    return xr.Dataset(
        {"kernel_change": (dims, change), "fitted": (dims, change > 0), "steps": (dims, np.ones_like(change))},
        coords={"scale": SCALES},
    )


@pytest.mark.parametrize(("crossover", "verdict"), [(0.02, "lazy"), (0.5, "between"), (20.0, "learns features")])
def test_a_model_among_scaled_versions_of_itself(crossover, verdict):
    """Between scales that are a decade apart the curve is not straight: half a decade, at most."""
    result = judge_scales(made_up(crossover, noise=0.02), "made-up")
    assert result.verdict == verdict
    assert result.crossover == pytest.approx(crossover, rel=1.0)
    assert result.low < result.crossover < result.high
    assert ("lazy side" if crossover < 1 else "feature side") in repr(result)


def test_a_crossover_outside_the_scales():
    result = judge_scales(made_up(1e5))
    assert result.crossover is None
    assert "outside the scales" in result.headline()


def test_a_trained_model(tmp_path):
    """Wide and of one hidden layer: its kernel changes more, the smaller the scale."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 3, generator=generator)
    data = TrainingData(x, x[:, :1].sign())

    def make():
        return nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))

    told = []
    result = own_crossover(make, [0.05, 20], data, seeds=2, rate=2e-2, most_steps=400, report=told.append)
    change = result.data["kernel_change"].mean("seed").values
    assert change[0] > 3 * change[1] > 9 * change[2]
    assert 0.05 < result.crossover < 20
    assert bool(result.data["fitted"].all())
    assert told[-1] == 1
    result.write(tmp_path)
    content = json.loads((tmp_path / "audit.json").read_text())["own_crossover"]
    assert content["scales"] == [0.05, 1.0, 20.0]


def test_the_users_own_training():
    """Told the rate of each scale, which is divided by it, and the seed; it moves the readout by as much at each."""
    calls = []

    def train(model, rate, seed):
        calls.append((model.scale, rate, seed))
        with torch.no_grad():
            model.model.weight += 0.1 * (1 + seed)
        return 0.5 if model.scale < 2 else float("inf")

    data = TrainingData(torch.eye(3), torch.ones(3, 1))
    result = own_crossover(lambda: nn.Linear(3, 1), [0.5, 4], data, seeds=2, rate=0.1, train=train)
    assert calls == [(s, 0.1 / max(1, s), seed) for seed in range(2) for s in (0.5, 1.0, 4.0)]
    assert result.data["fitted"].values.tolist() == [[True, True], [True, True], [False, False]]
    assert (result.data["kernel_change"] == 0).all()  # a linear model
    assert result.crossover is None


def test_a_crossover_needs_scales():
    with pytest.raises(InputError, match="three positive scales"):
        own_crossover(lambda: nn.Linear(3, 1), [-1.0, 2.0], TrainingData(torch.ones(2, 3), torch.ones(2, 1)))
