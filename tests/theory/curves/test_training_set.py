"""What curves are computed on: rotated into the span of the inputs, or refused."""

import numpy as np
import pytest
from clouds import ONE, cloud

from theory import InputError
from theory.curves import deep_linear_curve, mean_field_curve
from theory.curves.training_set import amplitudes, training_set


def test_coordinates_keep_all_inner_products_and_are_as_many_as_the_rank():
    """Five points in seven dimensions that span three; exact but for rounding."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 3)) @ rng.standard_normal((3, 7))
    data = training_set(x[:3], np.array([1, -1, 1]), x[3:])
    assert data.inputs.shape == (3, 3)
    assert data.evaluation.shape == (2, 3)
    rotated = np.concatenate([data.inputs, data.evaluation])
    np.testing.assert_allclose(rotated @ rotated.T, x @ x.T / 7, atol=1e-13)
    variances = np.sum(rotated**2, axis=0)
    assert list(variances) == sorted(variances, reverse=True)


def test_without_points_to_compare_on_they_are_those_of_training():
    x, y = cloud()
    data = training_set(x, y)
    np.testing.assert_array_equal(data.inputs, data.evaluation)


@pytest.mark.parametrize("values", [[], [1.0, -1.0], [0.0], [np.nan], [[1.0]]])
def test_amplitudes_are_positive_numbers(values):
    with pytest.raises(InputError, match="positive"):
        amplitudes(values)


def test_points_to_compare_on_have_the_same_dimension():
    x, y = cloud()
    with pytest.raises(InputError, match="x_eval"):
        training_set(x, y, x[:, :2])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"root_h_alpha": [0.0]}, "root_h_alpha"),
        ({"y": np.array([0.5])}, "y"),
        ({"y": np.ones(2)}, "y"),
        ({"x": np.zeros((1, 1))}, "x[0]"),
        ({"x": np.array([[np.inf]])}, "x"),
        ({"loss": "nosuch"}, "loss"),
    ],
)
def test_what_can_not_be_used_is_refused_by_both_solvers(changes, field):
    given = {"x": ONE[0], "y": ONE[1], "root_h_alpha": [1.0]} | changes
    for solver in (lambda **k: deep_linear_curve(1, **k), lambda **k: mean_field_curve("relu", **k)):
        with pytest.raises(InputError) as caught:
            solver(**given)
        assert caught.value.field == field
