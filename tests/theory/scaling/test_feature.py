"""The feature solution by hand: gains A^(-1/D), the kernel A^(-(2 - 2/D)), and how long the growth takes."""

import pytest
from sympy import Integer, Rational, oo

from theory.model import Model
from theory.scaling.feature import Feature, neuron_growth
from theory.scaling.linear_forms import A, H


@pytest.mark.parametrize("depth", [1, 2, 3, 7])
def test_the_articles_model_at_degree_one(depth):
    feature = Feature(Model(depth))
    total = depth + 1
    assert feature.degrees == [1] * total
    assert feature.total_degree == total
    assert feature.gain == -A / total
    assert feature.regime == (-oo, 0)
    assert feature.kernel_change == -(2 - Rational(2, total)) * A
    assert feature.kernel_by_output == 2 - Rational(2, total)
    assert feature.weight_change == H / 2 - A / total
    assert (feature.gain_correction, feature.kernel_correction) == (Rational(1, total), Rational(2, total))


def test_degrees_multiply_from_layer_to_layer():
    """f is of degree k^(L-l) in the gain of matrix l, and of degree one in that of the last."""
    assert Feature(Model(2, degree=Integer(2))).degrees == [4, 2, 1]
    assert Feature(Model(3, degree=Rational(1, 2))).total_degree == Rational(1, 8) + Rational(1, 4) + Rational(1, 2) + 1


def test_behind_a_bounded_activation_the_last_matrix_grows_alone():
    feature = Feature(Model(2, degree=Integer(0)))
    assert feature.degrees == [0, 0, 1]
    assert feature.gain == -A
    assert feature.weight_change == H / 2 - A


@pytest.mark.parametrize(
    ("model", "duration", "logarithm"),
    [
        (Model(1, degree=Integer(0)), H / 2 - A, False),  # the last stretch takes longest
        (Model(1), H / 2, True),  # every factor takes as long
        (Model(2), H / 2, False),  # a blow-up: the first stretch takes longest
    ],
)
def test_the_stretch_that_takes_longest_depends_on_the_degree_in_all_gains(model, duration, logarithm):
    assert Feature(model).completion == (duration, logarithm)


def test_corrections_to_the_time_are_those_of_its_lower_end_or_of_a_slow_saturation():
    assert Feature(Model(1)).completion_correction is None
    assert Feature(Model(1, degree=Integer(0))).completion_correction == 1
    slow = Feature(Model(1, degree=Integer(0), saturation=Integer(1)))
    assert slow.saturating_growth == Rational(2, 3)
    assert slow.saturation_correction == slow.completion_correction == Rational(2, 3)
    assert Feature(Model(1, saturation=Integer(1))).saturating_growth is None  # of an unbounded sigma


def test_above_degree_one_a_single_neuron_carries_f():
    """f ~ h^(-1/2) Lambda^3 at k = 2: Lambda ~ (h/A)^(1/3), which exceeds one below A = h."""
    assert [neuron_growth(k) for k in (Integer(0), Integer(1), Rational(3, 2), Integer(2))] == [1, 1, 0, 0]
    feature = Feature(Model(1, degree=Integer(2)), active=0)
    assert feature.gain.expand() == ((H - A) / 3).expand()
    assert feature.regime == (-oo, 1)
