"""Slopes between groups: exact lines, groups of one value, and what has no slope."""

import numpy as np
import pytest

from fit.estimators.between import slope_between

LOG_H = np.log(np.repeat([32.0, 64.0, 128.0], 4))


@pytest.mark.parametrize("robust", [False, True])
def test_an_exact_line_has_its_slope_without_error(robust):
    estimate = slope_between(LOG_H, 2.0 - 0.5 * LOG_H, robust=robust)
    assert estimate.value == pytest.approx(-0.5, abs=1e-12)
    assert estimate.standard_error < 1e-12
    assert estimate.prefactor == pytest.approx(np.exp(2.0))
    assert estimate.n_points == 12


def test_missing_values_are_left_out():
    values = np.where(np.arange(12) == 3, np.nan, 1.0 - LOG_H)
    assert slope_between(LOG_H, values).n_points == 11


def test_one_group_or_no_freedom_has_no_slope():
    assert slope_between(LOG_H[:4], LOG_H[:4]) is None
    assert slope_between(LOG_H[[0, 4]], LOG_H[[0, 4]]) is None


def test_widths_that_scatter_about_the_line_are_named():
    bent = np.repeat([0.0, 1.0, 0.0], 4) + 0.01 * np.tile([1.0, -1.0, 0.5, -0.5], 3)
    (note,) = slope_between(LOG_H, bent).notes
    assert note.startswith("the widths scatter about the line by more than their noise (p = ")
    assert slope_between(LOG_H, -LOG_H).notes == ()
