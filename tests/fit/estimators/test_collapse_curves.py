"""Curves that a collapse compares: levels, errors and redraws of made-up clusters."""

import numpy as np
import pytest

from fit.estimators.collapse_curves import CollapseCurves
from lazyrich.errors import InputError

X = np.tile([1.0, 2.0], 4)
SIZE = np.repeat([1.0, 4.0], 4)
CLUSTER = np.tile([0, 0, 1, 1], 2)


def curves(y, statistic="mean", scale="log"):
    return CollapseCurves.from_arrays(X, SIZE, y, CLUSTER, None, scale, statistic)


def test_a_level_is_the_average_of_the_clusters():
    y = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    np.testing.assert_allclose(curves(y).level, np.log([3**0.5, 8**0.5, 35**0.5, 48**0.5]))
    np.testing.assert_allclose(np.exp(curves(y, "rms").level) ** 2, [5.0, 10.0, 37.0, 50.0])
    np.testing.assert_allclose(curves(y, scale="linear").level, [2.0, 3.0, 6.0, 7.0])


def test_each_size_knows_its_points_and_the_others():
    (first, others), (second, _) = curves(np.ones(8)).members
    assert (first.tolist(), others.tolist(), second.tolist()) == ([0, 1], [2, 3], [2, 3])


def test_redraws_of_equal_clusters_change_nothing():
    for redraw in curves(np.full(8, 2.0)).redraws(np.random.default_rng(0), 5, 1.0):
        np.testing.assert_allclose(redraw.change, 0.0, atol=1e-15)
        assert redraw.change.shape == (5, 2)


@pytest.mark.parametrize(
    ("changes", "field"), [({"scale": "cubic"}, "scale"), ({"y": -np.ones(8)}, "y"), ({"size": np.ones(8)}, "size")]
)
def test_what_can_not_be_compared_is_refused(changes, field):
    arguments = {"x": X, "size": SIZE, "y": np.ones(8), "cluster": None, "y_error": None, "scale": "log",
                 "statistic": "mean"} | changes  # fmt: skip
    with pytest.raises(InputError) as error:
        CollapseCurves.from_arrays(**arguments)
    assert error.value.field == field
