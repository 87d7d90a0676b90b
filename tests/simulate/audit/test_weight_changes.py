"""How far weights moved, and along how many directions."""

import math

import pytest
import torch
from torch import nn

from simulate.audit.model_function import ModelFunction
from simulate.audit.weight_changes import spectral_norm, weight_changes


def test_a_change_along_one_direction_has_stable_rank_one():
    before = nn.Linear(8, 6).double()
    after = nn.Linear(8, 6).double()
    after.load_state_dict(before.state_dict())
    with torch.no_grad():
        after.weight += torch.outer(torch.randn(6), torch.randn(8))
    changes = weight_changes(ModelFunction.from_module(before), ModelFunction.from_module(after))
    assert changes["weight"].stable_rank == pytest.approx(1)
    assert changes["bias"].change == 0
    assert math.isnan(changes["bias"].stable_rank)


def test_norms_are_those_of_singular_values():
    matrix = torch.randn(5, 7, dtype=torch.float64)
    assert spectral_norm(matrix) == pytest.approx(float(torch.linalg.svdvals(matrix)[0]))
    assert spectral_norm(matrix.reshape(5, 7, 1)) == pytest.approx(spectral_norm(matrix))
    assert spectral_norm(torch.zeros(3, 3)) == 0


def test_the_norm_of_a_large_matrix_is_found_by_iteration(monkeypatch):
    """A gap of 2 between singular values: twelve iterations leave (1/2)^24 or so."""
    monkeypatch.setattr("simulate.audit.weight_changes._MOST_EXACT", 4)
    left, right = (torch.linalg.qr(torch.randn(30, 30, dtype=torch.float64))[0] for _ in range(2))
    values = 2.0 ** -torch.arange(30, dtype=torch.float64)
    state = torch.get_rng_state()
    assert spectral_norm(left @ values.diag() @ right) == pytest.approx(1, rel=1e-6)
    assert torch.equal(torch.get_rng_state(), state)
