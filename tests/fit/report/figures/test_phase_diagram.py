"""The kernel change over width and output scale, as colour."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fit.report.figures import phase_diagram


def test_colours_end_with_the_data(verdicts):
    drawing = phase_diagram.draw(verdicts, "softplus-L3")
    bar = next(axes for axes in drawing.figure.axes if axes is not drawing.axes)
    logs = np.log10(drawing.table["kernel_change"])
    assert bar.get_ylim() == pytest.approx((logs.min(), logs.max()), abs=1e-6)


def test_it_can_be_drawn_on_given_axes(verdicts):
    axes = Figure().add_subplot()
    assert phase_diagram.draw(verdicts, "softplus-L3", axes).axes is axes


def test_an_experiment_that_was_not_measured_has_none(verdicts):
    assert phase_diagram.draw(verdicts, "another") is None
