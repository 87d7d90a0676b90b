"""Ticks that can be read, and colours that can be told apart on light pages and dark ones."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fit.report.figures.style import (
    INK,
    OUTCOMES,
    PREDICTED,
    THEORY,
    dark_colours,
    log_scales,
    log_ticks,
    powers_of_two,
    width_colours,
)


def test_ticks_of_widths_are_the_powers_of_two_between_them():
    assert powers_of_two(24, 600) == [32.0, 64.0, 128.0, 256.0, 512.0]
    assert powers_of_two(32, 64) == [32.0, 64.0]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.2), (0.1, 0.5), (1.0, 8.0), (1e-6, 1e3)])
def test_every_range_has_ticks_that_differ(low, high):
    axes = Figure().add_subplot()
    log_scales(axes, {})
    axes.set_xlim(1e-3, 1e3)
    axes.set_ylim(low, high)
    log_ticks(axes, {}, "root_h_alpha")
    ticks = [t for t in axes.get_yticks() if low <= t <= high]
    texts = [axes.yaxis.get_major_formatter()(t) for t in ticks]
    assert len(ticks) >= 2
    assert len(set(texts)) == len(texts)


def test_a_scale_that_is_not_logarithmic_stays():
    axes = Figure().add_subplot()
    log_scales(axes, {"y_log": 0})
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")


@pytest.mark.parametrize("number", [1, 2, 5, 10, 40])
def test_widths_have_a_colour_each_on_either_page(number):
    light, dark = width_colours(number), width_colours(number, dark=True)
    assert len(set(light)) == len(set(dark)) == number
    # one table for all numbers of widths: equal colours of a light page have nearly equal ones on a dark page
    for colour, expected in zip(light, dark, strict=True):
        assert np.abs(np.array(to_rgb(dark_colours()[colour])) - to_rgb(expected)).max() < 4 / 255


def test_every_colour_of_a_light_page_has_another_on_a_dark_one():
    colours = [INK, PREDICTED, *THEORY, *OUTCOMES.values()]
    assert len(set(colours)) == len(colours)
    assert len({dark_colours()[colour] for colour in colours}) == len(colours)
    assert not set(colours) & {dark_colours()[colour] for colour in colours}
