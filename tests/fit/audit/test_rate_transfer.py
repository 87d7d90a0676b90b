"""Best learning rates against the width: made-up losses, and a model whose rate is known."""

import json
import math

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from fit.audit.rate_transfer import best_rate, judge_transfer, rate_transfer
from lazyrich.errors import InputError
from simulate.audit.training import TrainingData
from simulate.audit.transfer import built_in_training, losses

RATES = 2.0 ** -np.arange(12)[::-1]


def made_up(power, noise=0.05, seeds=4, centre=2.0**-5):
    """A parabola in the logarithm of the rate around centre · width^power."""
    rng = np.random.default_rng(3)
    sizes = np.array([64, 128, 256, 512])
    best = np.log(centre) + power * np.log(sizes / 180)[:, None] + noise * rng.normal(size=(4, seeds))
    values = np.exp(0.2 * (np.log(RATES) - best[..., None]) ** 2)
    return xr.DataArray(values, dims=("size", "seed", "rate"), coords={"size": sizes, "rate": RATES})


@pytest.mark.parametrize(
    ("power", "noise", "verdict"),
    [(0.0, 0.05, "transfers"), (-1.0, 0.1, "does not transfer"), (-0.5, 0.1, "does not transfer"),
     (0.0, 0.4, "not decided"), (-0.1, 0.1, "not decided")],
)  # fmt: skip
def test_verdicts_on_made_up_losses(power, noise, verdict):
    result = judge_transfer(made_up(power, noise), "made-up")
    assert result.verdict == verdict
    assert result.power == pytest.approx(power, abs=4 * noise / 3)  # four standard errors: .77·4 is what log h spreads
    assert f"the learning rate {verdict}" in repr(result) or verdict == "not decided"


def test_a_best_rate_at_the_end_of_the_grid_is_none():
    result = judge_transfer(made_up(-1.5, centre=2.0**-1))
    assert (result.verdict, result.power) == ("not decided", None)
    assert "at widths 64 and 128 give --rates above 1 too" in result.reason


def test_beside_a_rate_that_diverges_the_grid_is_the_best_that_is_known():
    grid = np.log([1.0, 2.0, 4.0])
    assert best_rate(grid, np.array([2.0, 1.0, math.inf])) == np.log(2)
    assert math.isnan(best_rate(grid, np.full(3, math.inf)))


def test_the_best_rate_of_a_quadratic_loss_is_the_inverse_of_its_curvature():
    """One weight, loss = width·(w - 1)²: one step of gradient descent reaches the minimum at 1/(2·width)."""

    class Steep(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.w = nn.Parameter(torch.randn(1, 1))
            self.width = width

        def forward(self, x):
            return self.width**0.5 * self.w * x

    targets = [4, 16, 64]

    def run(model, rate, seed):
        data = TrainingData(torch.ones(2, 1), torch.full((2, 1), float(model.width**0.5)))
        return built_in_training("sgd", data, 1)(model, rate, seed)

    result = rate_transfer(Steep, targets, [1.3 * 2.0**-k for k in range(12)], run, seeds=2)
    assert result.verdict == "does not transfer"
    assert result.power == pytest.approx(-1, abs=0.05)


def test_the_json(tmp_path):
    result = judge_transfer(made_up(0.0))
    assert "<svg" in result.write(tmp_path).read_text()
    content = json.loads((tmp_path / "audit.json").read_text())["rate_transfer"]
    assert content["verdict"] == "transfers"
    assert len(content["losses"]) == 4


@pytest.mark.parametrize(
    ("widths", "rates", "run", "says"),
    [
        ([8], RATES, None, "two sizes"),
        ([8, 16], [0.1, 0.2], None, "five positive rates"),
        ([8, 16], RATES, lambda *_: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_can_not_be_tried(widths, rates, run, says):
    with pytest.raises(InputError, match=says):
        losses(lambda h: nn.Linear(2, h), widths, rates, run)
