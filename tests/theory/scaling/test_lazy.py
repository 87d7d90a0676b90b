"""The lazy solution of the article's model by hand: T ~ h^(1/2)/A, u ~ 1/A, and which term of the kernel is largest."""

import pytest
from sympy import Rational, oo

from theory.model import Model
from theory.scaling.lazy import Lazy
from theory.scaling.linear_forms import A, H


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_articles_model(depth):
    lazy = Lazy(Model(depth))
    assert lazy.duration == H / 2 - A
    assert lazy.change == -A
    assert lazy.regime == (0, oo)
    assert lazy.crossover == 0
    assert lazy.weight_change == H / 2 - A
    assert lazy.onset == H / 2
    assert lazy.output_at_onset == H / 2


def test_undoing_the_initial_output_changes_signals_by_one_over_root_h():
    assert Lazy(Model(1)).change_undoing_output == -H / 2


def test_with_a_last_layer_of_one_over_h_the_crossover_moves_to_root_h():
    assert Lazy(Model(1, output=1)).crossover == H / 2


def test_the_kernel_of_a_smooth_activation_changes_to_second_order_and_then_to_first():
    """A^-2 against A^-1 h^(-1/2): they meet at A = h^(1/2)."""
    lazy = Lazy(Model(3))
    assert lazy.kernel_terms == {"first order": -A - H / 2, "second order": -2 * A}
    assert lazy.dominates("second order") == (0, Rational(1, 2))
    assert lazy.dominates("first order") == (Rational(1, 2), oo)


def test_flips_of_a_kinked_activation_win_between_the_two_until_none_is_left():
    """(h A)^(-1/2) exceeds A^-2 from A = h^(1/3) on; beyond A = h less than one neuron flips."""
    lazy = Lazy(Model(3, kinked=True))
    assert lazy.kernel_terms["flips"] == -(A + H) / 2
    assert lazy.dominates("second order") == (0, Rational(1, 3))
    assert lazy.dominates("flips") == (Rational(1, 3), 1)
    assert lazy.dominates("first order") == (1, oo)
