"""The model's description: what it takes, and what it refuses."""

import pytest
from sympy import Rational

from theory import InputError, Model


def test_it_is_that_of_the_article_if_nothing_else_is_said():
    model = Model(3)
    assert (model.output, model.hidden, model.degree, model.target) == (Rational(1, 2), Rational(1, 2), 1, 0)
    assert list(model.layers) == [0, 1, 2, 3]


def test_numbers_become_exact():
    model = Model(1, degree=1.5, output=1, saturation=0.5)
    assert (model.degree, model.output, model.saturation) == (Rational(3, 2), 1, Rational(1, 2))
    assert all(isinstance(value, Rational) for value in (model.degree, model.output, model.saturation))


@pytest.mark.parametrize("depth", [0, -1, 1001, 1.0, True, "2"])
def test_a_depth_is_a_whole_number_of_hidden_layers(depth):
    with pytest.raises(InputError) as caught:
        Model(depth)
    assert caught.value.field == "depth"


def test_an_activation_does_not_fall_as_a_power():
    with pytest.raises(InputError) as caught:
        Model(1, degree=-1)
    assert caught.value.field == "degree"
