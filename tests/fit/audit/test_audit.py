"""Audits of models whose regime is known."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import lazyrich
from fit.audit import audit


class Scaled(nn.Module):
    """F = s·(f - f_0): lazy for large s, of features for small ones."""

    def __init__(self, scale, width=64):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(4, width), nn.Linear(width, 1)
        self.start = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1)).requires_grad_(False)
        self.start[0].load_state_dict(self.first.state_dict())
        self.start[2].load_state_dict(self.last.state_dict())
        self.scale = scale

    def forward(self, x):
        return self.scale * (self.last(torch.tanh(self.first(x))) - self.start(x))


X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = X[:, :1] * X[:, 1:2]


def trained(scale):
    before, after = Scaled(scale).double(), Scaled(scale).double()
    optimizer = torch.optim.Adam([p for p in after.parameters() if p.requires_grad], lr=min(1e-2, 1e-2 / scale))
    for _ in range(200):
        loss = (after(X) - Y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return lambda: Scaled(scale).double(), before, after


@pytest.fixture(scope="module")
def rich():
    make, before, after = trained(0.01)
    return audit(make, before, after, X, Y, name="rich")


def test_the_output_scale_decides_the_regime(rich):
    assert rich.verdict == "learns features"
    assert rich.total.amplitude < 0.5
    make, before, after = trained(1000.0)
    lazy = audit(make, before, after, X, Y)
    assert lazy.verdict == "lazy"
    assert lazy.total.amplitude > 3
    assert lazy.total.unexplained.value < 1e-3
    assert [one.module for one in lazy.modules] == ["first", "last"]
    assert sum(one.kernel_share for one in lazy.modules) == pytest.approx(1)


def test_features_align_the_kernel_with_the_targets(rich):
    assert rich.kernel.alignment_after > rich.kernel.alignment_before
    assert rich.kernel.full_change == pytest.approx(rich.total.kernel_change.value)  # one output


def test_several_runs_give_intervals_over_runs():
    make, before, after = trained(0.01)
    result = audit(make, [before, before, before], [after, before, after], X)
    assert result.total.kernel_change.over == "runs"
    assert result.runs == 3
    assert result.total.kernel_change.low == 0  # one run did not move


def test_it_prints_itself_and_is_a_table_in_a_notebook(rich):
    assert repr(rich).startswith("rich: learns features — the kernel changed by")
    assert "whole model" in repr(rich)
    assert "<table>" in rich._repr_html_()


def test_the_page_and_the_json(rich, tmp_path):
    page = rich.write(tmp_path).read_text()
    assert page.index("rich: learns features") < page.index("<table")
    assert page.count("<svg") == 2
    for word in ("Methods", "Provenance", "torch 2", "‖ΔW‖"):
        assert word in page
    content = json.loads((tmp_path / "audit.json").read_text())
    assert content["schema_version"] == 1
    assert content["audit"]["verdict"] == "learns features"
    assert content["audit"]["modules"][0]["kernel_change"]["over"] == "probe points"
    assert len(list((tmp_path / "figures").glob("*.svg"))) == 2


def test_a_model_that_was_not_trained_is_lazy_without_nan_in_its_json(tmp_path):
    make, before, _ = trained(1.0)
    result = audit(make, before, before, X)
    assert result.verdict == "lazy"
    assert math.isinf(result.total.amplitude)
    result.write(tmp_path)
    assert json.loads((tmp_path / "audit.json").read_text())["audit"]["total"]["root_h_alpha"] is None


def test_the_front_door_and_what_can_not_be_used():
    assert lazyrich.audit is audit
    make, before, after = trained(1.0)
    with pytest.raises(lazyrich.InputError, match="can't be evaluated"):
        lazyrich.audit(make, before, after, np.ones((4, 7)))
