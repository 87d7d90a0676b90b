"""Sizes at initialisation in the article's model, and in one whose last layer is 1/h, by hand."""

import pytest
from sympy import Rational

from theory.model import Model
from theory.scaling.initial import Initial
from theory.scaling.linear_forms import H, T


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_in_the_articles_model_every_layer_moves_alike(depth):
    """Signals and kernels of size one, gradients h^(-1/2): each matrix changes its layer's signal by T h^(-1/2)."""
    initial = Initial(Model(depth))
    assert initial.activations == [0] * (depth + 1)
    assert initial.preactivations == [0] * depth
    assert initial.deltas == [-H / 2] * depth
    assert initial.output == 0
    assert initial.kernels == [0] * (depth + 1)
    assert initial.relative_changes == [T - H / 2] * (depth + 1)
    assert initial.output_changes == [T] * (depth + 1)
    assert initial.weight_changes == [T] * (depth + 1)


def test_a_last_layer_of_one_over_h():
    """It takes h^(-1/2) off f, off the gradients, and h^(-1) off the kernel."""
    initial = Initial(Model(1, output=1))
    assert initial.output == -H / 2
    assert initial.deltas == [-H]
    assert initial.kernels == [-H, -H]
    assert initial.relative_changes == [T - H, T - H]
    assert initial.output_changes == [T - H, T - H]


def test_larger_hidden_matrices_enlarge_what_is_behind_them():
    """h^(-1/4) in front of W_1: z_2 ~ h^(1/4), x_2 the same at degree one, d_1 ~ h^(1/4) d_2."""
    initial = Initial(Model(2, hidden=Rational(1, 4)))
    assert initial.preactivations == [0, H / 4]
    assert initial.activations == [0, 0, H / 4]
    assert initial.deltas == [-H / 4, -H / 2]
    assert initial.output == H / 4
