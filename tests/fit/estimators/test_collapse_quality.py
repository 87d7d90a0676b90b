"""The quality S of a collapse: 0 for curves that coincide, known for a shift, none without overlap."""

import numpy as np
import pytest

from fit.estimators.collapse_curves import CollapseCurves
from fit.estimators.collapse_quality import comparisons, qualities, redrawn_qualities

X = np.geomspace(0.1, 10, 9)


def two_sizes(shift=0.0, error=0.1):
    """Straight lines of sizes 1 and e in log-log, the second one off by ``shift`` in log y."""
    x, size = np.tile(X, 2), np.repeat([1.0, np.e], 9)
    y = x**-1 * np.where(size > 1, np.exp(shift), 1.0)
    return CollapseCurves.from_arrays(x, size, y, None, error * y, "log", "mean")


def test_lines_that_coincide_have_quality_zero_and_a_slope_makes_every_shift_cost():
    at_zero, at_half = qualities(two_sizes(), comparisons(two_sizes(), np.array([0.0, 0.5])))[0]
    assert at_zero == pytest.approx(0.0, abs=1e-20)
    assert at_half > 1


def test_a_known_distance_has_its_quality():
    """At nu = 0 abscissas coincide: each point against another one with the same error, 0.3²/(2·0.1²)."""
    curves = two_sizes(shift=0.3)
    (comparison,) = comparisons(curves, np.array([0.0]))
    inner = comparison.deviation @ curves.level
    assert np.median(inner**2) == pytest.approx(0.3**2 / (2 * 0.1**2), rel=0.3)  # Y's line has two points: dY < dy


def test_curves_that_do_not_overlap_have_none():
    curves = two_sizes()
    assert np.isnan(qualities(curves, comparisons(curves, np.array([20.0])))).all()


def test_a_redraw_has_the_quality_of_curves_made_with_its_levels():
    curves = two_sizes(shift=0.2)
    compared = comparisons(curves, np.array([0.0, 0.3]))
    (redraws,) = curves.redraws(np.random.default_rng(0), 3, 1.0)
    for i, row in enumerate(redrawn_qualities(curves, compared, redraws)):
        moved = curves.level.copy()
        moved[redraws.points] += redraws.change[i]
        expected = [np.mean((c.deviation @ moved) ** 2) for c in compared]
        np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_without_errors_the_quality_is_the_mean_squared_distance():
    """Two straight lines 0.5 apart: a point's distance from the other line, whatever that line's own error would be."""
    x, size = np.tile(np.geomspace(1, 16, 5), 2), np.repeat([1.0, 4.0], 5)
    y = np.exp(np.log(x) + 0.5 * (size == 4.0))
    curves = CollapseCurves.from_arrays(x, size, y, None, None, "log", "mean")
    assert curves.error is None
    assert qualities(curves, comparisons(curves, np.array([0.0])))[0, 0] == pytest.approx(0.25, rel=1e-9)
