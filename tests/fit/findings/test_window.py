"""Windows follow from the regime and the grid alone."""

import numpy as np
import pytest
import sympy
from synthetic_campaign import FEATURE, SMOOTH_LAZY, experiment, prediction

from fit.findings.window import left_out_networks, range_of, trimmed, whole_grid, window
from fit.measurements.reading import measurements
from theory.prediction import Regime


@pytest.fixture(scope="module")
def measured():
    (result,) = measurements(experiment(seeds=4, failing=0.3, widths=(64, 256)))
    return result


def used(measured, cells):
    return measured.root_h_alpha.values[cells.values]


def test_the_edge_belongs_to_the_window(measured):
    law = prediction("kernel_change_feature", "root_h_alpha", -1.5, FEATURE)
    assert used(measured, window(measured, law)).max() == pytest.approx(1e-2)


def test_a_lower_edge_that_grows_with_the_width_is_that_of_the_widest(measured):
    law = prediction("kernel_change_lazy", "root_h_alpha", -1, SMOOTH_LAZY)
    cells = window(measured, law)
    assert used(measured, cells).min() >= 30 * 256**0.5
    assert cells.values[0].sum() == cells.values[1].sum()


def test_no_width_is_judged_beyond_its_own_upper_edge(measured):
    """The law of kinks ends at A = 10 h, where too few neurons pass one."""
    regime = Regime("lazy", "", low=52.0, high=10.0, high_width_exponent=sympy.S.One)
    cells = window(measured, prediction("kernel_change_lazy", "root_h_alpha", -0.5, regime))
    for width, row, amplitudes in zip(measured.widths, cells.values, measured.root_h_alpha.values, strict=True):
        assert amplitudes[row].min() >= 52.0
        assert amplitudes[row].max() <= 10.0 * width * 1.01
    assert cells.values[0].sum() < cells.values[1].sum()


def test_trimmed_windows_lose_half_a_decade_at_one_end(measured):
    whole = used(measured, whole_grid(measured))
    (_, low), (_, high) = trimmed(whole_grid(measured), measured.root_h_alpha)
    assert used(measured, low).min() == pytest.approx(whole.min() * 10**0.5)
    assert used(measured, high).max() == pytest.approx(whole.max() / 10**0.5)
    assert trimmed(whole_grid(measured) & False, measured.root_h_alpha) == []


def test_an_empty_window_has_no_range(measured):
    nothing = whole_grid(measured) & False
    assert range_of(nothing, measured) == {"variable": "root_h_alpha", "low": None, "high": None}
    assert left_out_networks(measured, nothing) == {"left_out": {}, "left_out_fraction": 0.0}


def test_the_fraction_left_out_is_of_all_networks_in_the_window(measured):
    counts = left_out_networks(measured, whole_grid(measured))
    assert counts["left_out_fraction"] == pytest.approx(1 - float(np.mean(measured.converged)))
