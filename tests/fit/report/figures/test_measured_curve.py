"""Figures stand alone: what is drawn is what the caption says, and predicted powers go through the data."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from fit.curves.theory_curves import TheoryCurve
from fit.report.figures import measured_curve


def lines(drawing):
    return {line.get_label(): line for line in drawing.axes.get_lines()}


def test_the_predicted_power_is_drawn_through_the_data(curves):
    """Its level is the geometric mean of the points: a flat prediction is not drawn above flat data."""
    for name in ("softplus-L3-collapse-feature-width", "softplus-L3-crossover-crossover-width"):
        curve = curves[name]
        drawn = lines(measured_curve.draw(curve))
        predicted = next(line for label, line in drawn.items() if label.startswith("predicted"))
        points = curve.drawn
        x, y = (points[key].values[points["used"].values.astype(bool)] for key in ("width", "y"))
        level = np.interp(np.log(x), np.log(predicted.get_xdata()), np.log(predicted.get_ydata()))
        assert np.mean(np.log(y) - level) == pytest.approx(0, abs=1e-12)


def test_captions_say_shaded_and_filled_only_where_something_is(curves):
    for curve in curves.values():
        drawing = measured_curve.draw(curve)
        shaded = len(drawing.axes.patches)
        assert ("Shaded" in curve.caption) == (shaded > 0), curve.name
        used = curve.drawn["used"].values
        assert ("Filled" in curve.caption) == bool(used.any() and not used.all()), curve.name


def test_the_rescaled_fluctuations_have_a_caption_of_their_own(curves):
    caption = curves["softplus-L3-fluctuations-root_h_alpha"].caption
    assert "Multiplied by h^(1/2), all widths lie on one curve if the law holds" in caption
    assert "measured" not in caption


def test_the_values_of_a_figure_are_a_table(curves):
    drawing = measured_curve.draw(next(iter(curves.values())))
    assert {"width", "value", "low_95", "high_95", "in_a_fit"} <= set(drawing.table)
    assert len(drawing.table) == len(drawing.notes)


def test_a_curve_can_be_drawn_on_given_axes(curves):
    axes = Figure().add_subplot()
    assert measured_curve.draw(next(iter(curves.values())), axes).axes is axes


def test_infinite_width_and_frozen_kernels_have_a_colour_each(curves):
    """In every figure the same one, also where only one of the two is drawn."""
    curve = curves["softplus-L3-crossover-crossover-width"]
    x = np.array([1.0, 10.0])
    infinite = TheoryCurve(curve.experiment, "kernel_change", x, 1 / x, "h = ∞", "-.", "computed", "exact")
    frozen = dataclasses.replace(infinite, label="frozen Θ", networks=np.ones((2, 2)))

    def colours(*theory):
        drawn = lines(measured_curve.draw(dataclasses.replace(curve, theory=theory)))
        return {one.label: drawn[one.label].get_color() for one in theory}

    both = colours(infinite, frozen)
    assert len(set(both.values())) == 2
    assert colours(infinite) | colours(frozen) == both
