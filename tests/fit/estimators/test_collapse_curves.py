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
    ("changes", "field"),
    [
        ({"scale": "cubic"}, "scale"),
        ({"y": -np.ones(8)}, "y"),
        ({"size": np.ones(8)}, "size"),
        ({"y": np.ones(7)}, "y"),
        ({"x": np.ones((4, 2)), "size": np.ones((4, 2)), "y": np.ones((4, 2))}, "x"),
    ],
)
def test_what_can_not_be_compared_is_refused(changes, field):
    arguments = {"x": X, "size": SIZE, "y": np.ones(8), "cluster": None, "y_error": None, "scale": "log",
                 "statistic": "mean"} | changes  # fmt: skip
    with pytest.raises(InputError) as error:
        CollapseCurves.from_arrays(**arguments)
    assert error.value.field == field


def test_points_without_clusters_are_redrawn_by_their_own_errors():
    """Levels are logarithms, whose errors are relative; 4,000 draws know a standard deviation to 1.1 %."""
    y, y_error = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.1, 0.1, 0.1, 2.0])
    x, size = np.array([1.0, 2.0, 1.0, 2.0]), np.array([1.0, 1.0, 4.0, 4.0])
    known = CollapseCurves.from_arrays(x, size, y, None, y_error, "log", "mean")
    (redraw,) = known.redraws(np.random.default_rng(0), 4000, mean_square=100.0)
    np.testing.assert_allclose(redraw.change.std(axis=0), y_error / y, rtol=0.05)
    unknown = CollapseCurves.from_arrays(x, size, y, None, None, "log", "mean")
    (redraw,) = unknown.redraws(np.random.default_rng(0), 4000, mean_square=0.04)
    np.testing.assert_allclose(redraw.change.std(axis=0), 0.2, rtol=0.05)


def test_a_number_from_points_has_points_less_two_and_one_from_clusters_satterthwaites_freedom():
    """The variance of redraws of S clusters is (S - 1)/S of that of a mean: 2 here, so twice as large."""
    points = CollapseCurves.from_arrays(X, SIZE, np.ones(8), None, None, "log", "mean")
    redrawn = np.array([[1.0, 2.0, 4.0]])
    assert points.error_of(redrawn) == (pytest.approx(redrawn.std(ddof=1)), 6.0)
    two = np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 5.0]])
    variance = 2 * two.var(axis=1, ddof=1)
    error, freedom = curves(np.ones(8)).error_of(two)
    assert error == pytest.approx(np.sqrt(variance.sum()))
    assert freedom == pytest.approx(variance.sum() ** 2 / np.sum(variance**2))


@pytest.mark.parametrize("statistic", ["mean", "rms"])
def test_errors_of_points_are_the_jackknifes_averaged_over_each_size(statistic):
    """Two sizes of three points and five seeds; the power of the scatter in the size goes through both exactly."""
    rng = np.random.default_rng(0)
    y = 1 + 0.1 * rng.random((2, 5, 3))  # (size, seed, x)
    size, seed, x = (column.ravel() for column in np.broadcast_arrays(
        np.array([1.0, 4.0])[:, None, None], np.arange(5)[:, None], np.array([1.0, 2.0, 3.0])
    ))  # fmt: skip
    curves = CollapseCurves.from_arrays(x, size, y.ravel(), seed, None, "linear", statistic)

    def average(values):
        return values.mean(axis=1) if statistic == "mean" else np.sqrt((values**2).mean(axis=1))

    without = np.stack([average(np.delete(y, s, axis=1)) for s in range(5)], axis=1)
    variance = 4 / 5 * np.sum((without - without.mean(axis=1, keepdims=True)) ** 2, axis=1)
    np.testing.assert_allclose(curves.error, np.repeat(np.sqrt(variance.mean(axis=1)), 3), rtol=1e-9)
