"""Coordinate checks of models whose parametrisation is known, and of made-up measurements."""

import json

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from fit.audit.coordinate_check import coordinate_check, judge_scaling
from fit.audit.coordinate_result import MARGIN
from simulate.audit.training import TrainingData
from theory.coordinate_check import attention_powers

GENERATOR = torch.Generator().manual_seed(0)
DATA = TrainingData(torch.randn(8, 6, generator=GENERATOR), torch.randn(8, 2, generator=GENERATOR))
WIDTHS = (32, 64, 128, 256)


class Layer(nn.Module):
    """multiplier · W x, W ~ N(0, spread²)."""

    def __init__(self, inputs, outputs, multiplier, spread):
        super().__init__()
        self.weight = nn.Parameter(spread * torch.randn(outputs, inputs))
        self.multiplier = multiplier

    def forward(self, x):
        return self.multiplier * nn.functional.linear(x, self.weight)


def network(multipliers, spreads):
    """Exponents of the width for the three layers."""

    def make(h):
        sizes = ((6, h), (h, h), (h, 2))
        layers = [
            Layer(*s, float(h) ** -a, float(h) ** -b) for s, a, b in zip(sizes, multipliers, spreads, strict=True)
        ]
        return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])

    return make


def by_layer(exponents):
    def optimizer(model, rate):
        h = model[0].weight.shape[0]
        layers = [model[0], model[2], model[4]]
        groups = [
            {"params": one.parameters(), "lr": rate * float(h) ** -c} for one, c in zip(layers, exponents, strict=True)
        ]
        return torch.optim.Adam(groups)

    return optimizer


@pytest.fixture(scope="module")
def ntk():
    make = network((0.0, 0.5, 0.5), (0.0, 0.0, 0.0))
    return coordinate_check(make, WIDTHS, optimizer="sgd", rate=0.05, seeds=6, data=DATA, name="ntk")


def test_maximal_updates_are_stable_everywhere():
    make = network((-0.5, 0.0, 0.5), (0.5, 0.5, 0.5))
    check = coordinate_check(make, WIDTHS, optimizer="sgd", rate=0.05, seeds=6, data=DATA)
    assert check.verdict == "stable"
    assert not check.suspects


def test_rates_of_maximal_update_for_adam_in_the_standard_parametrisation():
    """With a readout that starts at 1/h, as in arXiv:2203.03466; one at h^(-1/2) passes too much of the features on."""
    make, larger = (network((0.0, 0.0, 0.0), (0.0, 0.5, b)) for b in (1.0, 0.5))
    check = coordinate_check(make, WIDTHS, optimizer=by_layer((0, 1, 1)), rate=1e-3, seeds=6, data=DATA)
    assert check.verdict == "stable"
    check = coordinate_check(larger, WIDTHS, optimizer=by_layer((0, 1, 1)), rate=1e-3, seeds=6, data=DATA)
    assert [one.verdict for one in check.modules][-2:] == ["blows up", "blows up"]


def test_hidden_layers_of_the_ntk_parametrisation_vanish(ntk):
    found = {one.module: one for one in ntk.modules}
    assert {name: one.verdict for name, one in found.items()} == {
        "0": "vanishes", "1": "vanishes", "2": "vanishes", "3": "vanishes", "4": "stable", "output": "stable",
    }  # fmt: skip
    assert ntk.verdict == "vanishes"
    for name in ("0", "2"):
        assert found[name].own_step == pytest.approx(-0.5, abs=0.1)  # as derived; measured on networks of such widths
        assert found[name].power == pytest.approx(-0.5, abs=0.15)
    assert [one.module for one in ntk.suspects] == ["0", "2"]
    # exponents are measured: b and c to rounding, a from sums of random signs
    assert [(one.a, one.b, one.c) for one in (found["0"], found["2"], found["4"])] == [
        (pytest.approx(0, abs=0.1), pytest.approx(0, abs=0.03), pytest.approx(0, abs=1e-9)),
        (pytest.approx(0.5, abs=0.1), pytest.approx(0, abs=0.03), pytest.approx(0, abs=1e-9)),
        (pytest.approx(0.5, abs=0.1), pytest.approx(0, abs=0.03), pytest.approx(0, abs=1e-9)),
    ]


def test_one_layer_at_a_rate_that_does_not_fall_is_named():
    make = network((0.0, 0.0, 0.0), (0.0, 0.5, 0.5))
    check = coordinate_check(make, WIDTHS, optimizer=by_layer((0, 0, 1)), rate=1e-3, seeds=6, data=DATA)
    assert check.verdict == "blows up"
    assert check.suspects[0].module == "2"
    (named,) = [one for one in check.modules if one.module == "2"]
    assert named.expected == pytest.approx(1.0, abs=0.1)


def test_it_prints_itself_and_writes_a_page(ntk, tmp_path):
    assert "ntk: vanishes with the width — of 6 modules, 4 vanish, 2 stable. Look first at: 0, 2." in repr(ntk)
    page = ntk.write(tmp_path).read_text()
    assert "Does it keep its regime as it grows?" in page
    content = json.loads((tmp_path / "audit.json").read_text())["coordinate_check"]
    assert content["suspects"] == ["0", "2"]
    assert content["margin"] == MARGIN


def made_up(powers, seeds=8, noise=0.1, rng=None):
    """A change of every module that is a power of the width, with scatter."""
    rng = rng or np.random.default_rng(0)
    sizes = np.array([64, 128, 256, 512])
    names = [str(k) for k in range(len(powers))]
    change = np.exp(np.log(sizes)[:, None, None] * np.array(powers) + noise * rng.normal(size=(4, seeds, len(powers))))
    whole, flat = (("size", "seed", "module"), change), (("size", "module"), change[:, 0])
    return xr.Dataset(
        {"change": (("step", *whole[0]), change[None]), "input_change": (("step", *whole[0]), change[None]),
         "backward": (("step", *whole[0]), change[None]), "initial": whole, "input": whole,
         "spread": flat, "fan_in": flat, "fan_out": flat, "rate": flat, "multiplier": flat},
        coords={"step": [1], "size": sizes, "module": names},
        attrs={"axis": "width", "optimizer": "adam", "rate": 1e-3, "seeds": seeds},
    )  # fmt: skip


def test_healthy_modules_are_hardly_ever_accused():
    """Powers within the margin; of models of 8 modules 5 % at most have an accusation at all: of ten, one or none."""
    rng = np.random.default_rng(2)
    checks = [judge_scaling(made_up(rng.uniform(-MARGIN, MARGIN, 8), noise=0.4, rng=rng)) for _ in range(10)]
    assert sum(bool(check.suspects) for check in checks) <= 1


def test_what_scatters_too_much_is_not_decided():
    assert judge_scaling(made_up([0.0], noise=2.0)).verdict == "not decided"


def test_a_blow_up_at_an_early_step_is_judged_there():
    data = made_up([0.5, 0.0])
    later = data.assign_coords(step=[5])
    later["change"] = later["change"] * np.nan
    check = judge_scaling(xr.concat([data, later], "step", data_vars="minimal", coords="minimal"))
    assert check.judged_after == 1
    assert [one.verdict for one in check.modules] == ["blows up", "stable"]


def test_what_does_not_move_is_not_decided():
    data = made_up([0.0])
    data["change"] = data["change"] * 0
    (one,) = judge_scaling(data).modules
    assert (one.verdict, one.power) == ("not decided", None)


class Attention(nn.Module):
    """Tokens (n, length, 6), one head; layers of maximal update, or with attention scaled by another power."""

    def __init__(self, h, alpha):
        super().__init__()
        self.first = Layer(6, h, (h / 6) ** 0.5, float(h) ** -0.5)
        self.query, self.key, self.value = (Layer(h, h, 1.0, float(h) ** -0.5) for _ in range(3))
        self.last = Layer(h, 2, float(h) ** -0.5, float(h) ** -0.5)
        self.scale = 4.0 ** (2 * alpha - 1) * float(h) ** -alpha

    def forward(self, x):
        x = self.first(x)
        normal = nn.functional.layer_norm(x, x.shape[-1:])
        mixed = torch.softmax(self.scale * self.query(normal) @ self.key(normal).mT, -1) @ self.value(normal)
        return self.last(nn.functional.layer_norm(x + mixed, x.shape[-1:]))


TOKENS = TrainingData(torch.eye(6)[torch.arange(48).reshape(12, 4) % 7 % 6], torch.randn(12, 4, 2, generator=GENERATOR))


def check_of_attention(alpha, **options):
    options = {"optimizer": "sgd", "rate": 0.05, "seeds": 8, "data": TOKENS} | options
    return coordinate_check(lambda h: Attention(h, alpha), (64, 128, 256, 512), **options)


def test_logits_that_wait_for_their_gradient_are_not_accused():
    """h^(-1/2) in the first step, as `theory.coordinate_check` derives: their gradient is a sum of random signs."""
    check = check_of_attention(1.0, steps=(1,))
    (logits,) = [one for one in check.modules if one.module == "softmax 1"]
    assert logits.power == pytest.approx(float(attention_powers("sgd", 1).change[0]), abs=0.15)
    assert logits.awaits_gradient
    assert logits.verdict == check.verdict == "not decided"
    assert not check.suspects
    assert "Not decided: softmax 1 moves in proportion" in check.headline()


def test_logits_of_attention_that_are_too_small_or_too_large_are_accused():
    for alpha, verdict in ((0.5, "blows up"), (2.0, "vanishes")):
        check = check_of_attention(alpha, steps=(1,))
        (logits,) = [one for one in check.modules if one.module == "softmax 1"]
        assert logits.verdict == verdict
        assert logits in check.suspects
        assert not logits.awaits_gradient
